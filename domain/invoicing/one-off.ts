import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import type { Metadata } from '../catalog/price.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import { assertSameCurrency } from '../money.ts';
import { type Instant, MAX_INSTANT } from '../time.ts';
import { composeInvoice } from './compose-invoice.ts';
import { customerItems } from './customer-items.ts';
import { beginDecision, type DecisionContext, emit, finishDecision, putInvoice } from './draft-decision.ts';
import { type CollectionMethod, collectionTerms, dueAfter } from './due-date.ts';
import type { Invoice } from './invoice.ts';
import { changeableDraft } from './set-auto-advance.ts';

export interface OneOff {
  id: string;
  customerId: string;
  /** Absent: the customer's, or that of the items that wait. */
  currency?: string;
  /** Whether the items that wait for the customer's next invoice are on this one. */
  pendingItems: 'include' | 'exclude';
  /** Absent: charged automatically. */
  collectionMethod?: CollectionMethod;
  daysUntilDue?: number;
  /** In place of days. */
  dueDate?: Instant;
  description: string | null;
  footer: string | null;
  metadata: Metadata;
}

/**
 * A draft for a customer, of no subscription. It waits for somebody to finalise it.
 * @throws Refusal customer_deleted; parameter_missing where no currency can be told; currency_mismatch; parameter_invalid where nothing waits that could be included
 */
export function decideOneOff(snapshot: BillingSnapshot, command: OneOff, context: DecisionContext): Decision {
  const { customer } = snapshot;
  if (customer.deleted) throw new Refusal('customer_deleted', `The customer ${customer.id} is deleted.`, 'customer');
  const currency = command.currency ?? customer.currency ?? snapshot.customerItems[0]?.line.currency;
  if (currency === undefined) throw new Refusal('parameter_missing', 'Missing required param: currency.', 'currency');
  if (customer.currency !== null) assertSameCurrency(customer.currency, currency, 'currency');
  const pending = command.pendingItems === 'include' ? customerItems(snapshot, currency) : [];
  if (command.pendingItems === 'include' && pending.length === 0) {
    throw new Refusal('parameter_invalid', `Nothing to invoice for customer ${customer.id}.`, 'pending_invoice_items_behavior');
  }
  const newId = (prefix: string): string => (prefix === ID_PREFIX.invoice ? command.id : context.newId(prefix));
  const draft = beginDecision(snapshot, { ...context, newId });
  const { invoice } = composeInvoice(draft, {
    billingReason: 'manual',
    period: { start: context.asOf, end: context.asOf },
    lines: [],
    pending,
    currency,
    collection: collectionOf(snapshot, command, context.asOf),
    autoAdvance: false,
    leaveDraft: true,
  });
  const { description, footer, metadata } = command;
  putInvoice(draft, { ...invoice, description, footer, metadata, defaultTaxRateIds: customer.defaultTaxRateIds });
  return finishDecision(draft);
}

/** @throws Refusal about `days_until_due` or `due_date` */
function collectionOf(
  snapshot: BillingSnapshot,
  { dueDate, ...command }: OneOff,
  asOf: Instant,
): Pick<Invoice, 'collectionMethod' | 'dueDate'> {
  if (dueDate === undefined || command.collectionMethod !== 'send_invoice') {
    if (dueDate !== undefined)
      throw new Refusal('parameter_invalid', 'due_date is only for the collection method send_invoice.', 'due_date');
    const terms = collectionTerms({ collectionMethod: 'charge_automatically', daysUntilDue: null }, command);
    return {
      collectionMethod: terms.collectionMethod,
      dueDate: dueAfter(asOf, terms, zoneOf(snapshot)),
    };
  }
  if (command.daysUntilDue !== undefined)
    throw new Refusal('parameter_invalid', 'You may only specify one of these parameters: days_until_due, due_date.', 'due_date');
  if (dueDate <= asOf || dueDate > MAX_INSTANT) throw new Refusal('date_out_of_range', 'The due date must be in the future.', 'due_date');
  return { collectionMethod: 'send_invoice', dueDate };
}

/**
 * Takes the draft of the snapshot away, as if it had never been made; its items wait for the next invoice again, so nothing that is to be billed is lost.
 * @throws Refusal invoice_not_draft; transition_not_allowed for an invoice of a subscription, whose time it bills
 */
export function decideDeletion(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const invoice = changeableDraft(snapshot, context.asOf);
  if (invoice.subscriptionId !== null || invoice.subscriptionIds !== undefined) {
    throw new Refusal('transition_not_allowed', 'An invoice of a subscription cannot be deleted: finalize it and void it.');
  }
  const draft = beginDecision(snapshot, context);
  draft.decision.deletedInvoices.push(invoice);
  emit(draft, 'invoice.deleted', 'invoice', invoice.id);
  for (const id of invoice.lines.flatMap(({ invoiceItemId }) => invoiceItemId ?? [])) {
    draft.decision.pendingItems.consume.push({ id, invoiceId: null });
    emit(draft, 'invoiceitem.updated', 'invoiceitem', id, { invoiceId: invoice.id });
  }
  return finishDecision(draft);
}
