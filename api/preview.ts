import { loadSnapshot } from '../db/billing-snapshot.ts';
import { type AccountTransaction, withAccount } from '../db/client.ts';
import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Decision } from '../domain/decision.ts';
import type { Invoice, InvoiceItem } from '../domain/invoicing/invoice.ts';
import type { RequestContext } from './context.ts';
import { inTimeOf } from './customer-clock.ts';
import { tryCancellation, tryChange, tryCreation, tryRenewal, tryScheduling } from './dry-run.ts';
import { ApiError, badRequest, notFound } from './errors.ts';
import { randomId } from './new-id.ts';
import { presentInvoices } from './read-objects.ts';
import type { invoicePreview } from './schemas/invoices.ts';
import type { z } from './schemas/zod.ts';
import { subscriptionOf } from './subscription-commands.ts';
import { creationFrom, itemChangesFrom, schedulingFrom } from './subscription-input.ts';

type PreviewInput = z.output<typeof invoicePreview>;
type Details = NonNullable<PreviewInput['subscription_details']>;

/**
 * What would be billed, by the very functions that bill: nothing is written, nothing is reserved. Of an existing subscription: with `cancel_now`
 * the final invoice; with items and `always_invoice` (or a new cycle) the invoice of the change; else the next renewal with the change in it.
 */
export async function previewInvoice(asked: RequestContext, params: PreviewInput) {
  const context = await inTimeOf(
    asked,
    params.subscription === undefined ? { customerId: params.customer ?? '' } : { subscriptionId: params.subscription },
  );
  return withAccount(context.db, context.account.id, async (t) => {
    const invoice =
      params.subscription === undefined
        ? await previewCreation(context, t, params)
        : await previewSubscription(context, t, params.subscription, params);
    const [answer] = await presentInvoices(t, context.account, [asPreview(invoice)], true);
    if (answer === undefined) throw new Error('a preview was not presented');
    return answer;
  });
}

const asPreview = (invoice: Invoice): Invoice => ({
  ...invoice,
  id: `upcoming_${invoice.id}`,
  number: null,
  status: 'draft',
  amountPaid: 0,
  amountRemaining: invoice.amountDue,
  finalizedAt: null,
  paidAt: null,
});

async function previewCreation(context: RequestContext, t: AccountTransaction, params: PreviewInput): Promise<Invoice> {
  const details = params.subscription_details;
  if (params.customer === undefined) throw badRequest('Missing required param: customer.', 'customer', 'parameter_missing');
  if (details?.items === undefined)
    throw badRequest('Missing required param: subscription_details[items].', 'subscription_details[items]', 'parameter_missing');
  refuse(details, ['proration_behavior', 'proration_date', 'billing_cycle_anchor', 'cancel_now']);
  const items = details.items.map((item, index) => {
    const at = `subscription_details[items][${index}]`;
    if (item.id !== undefined || item.deleted !== undefined) throw badRequest('A new subscription has no items to change.', `${at}[id]`);
    if (item.price === undefined) throw badRequest(`Missing required param: ${at}[price].`, `${at}[price]`, 'parameter_missing');
    return { price: item.price, quantity: item.quantity ?? 1, tax_rates: item.tax_rates };
  });
  const command = creationFrom(
    {
      customer: params.customer,
      items: items.map((item) => ({ ...item, metadata: undefined })),
      currency: params.currency,
      payment_behavior: 'default_incomplete',
      default_tax_rates: details.default_tax_rates,
      cancel_at: details.cancel_at ?? undefined,
      cancel_at_period_end: details.cancel_at_period_end ?? false,
    },
    randomId,
  );
  const { snapshot, decision } = await tryCreation(t, command, context.now());
  return madeBy(decision, snapshot) ?? noInvoice(null);
}

async function previewSubscription(context: RequestContext, t: AccountTransaction, id: string, params: PreviewInput): Promise<Invoice> {
  const subscription = await subscriptionOf(t, id).catch(() => {
    throw notFound('subscription', id, 'subscription');
  });
  if (params.customer !== undefined && params.customer !== subscription.customerId) throw notFound('customer', params.customer, 'customer');
  if (params.currency !== undefined && params.currency !== subscription.currency) {
    throw badRequest(`The currency of the subscription is ${subscription.currency}.`, 'currency', 'currency_mismatch');
  }
  const details: Details = params.subscription_details ?? {};
  const asOf = context.now();
  if (details.cancel_now === true) {
    refuse(details, ['items', 'billing_cycle_anchor', 'cancel_at', 'cancel_at_period_end']);
    const prorate = (details.proration_behavior ?? 'create_prorations') !== 'none';
    const { snapshot, decision } = await tryCancellation(t, id, { prorate, invoiceNow: true }, asOf);
    return madeBy(decision, snapshot) ?? noInvoice(id);
  }
  const cancellation = schedulingFrom({ cancel_at: details.cancel_at, cancel_at_period_end: details.cancel_at_period_end });
  if (details.items === undefined && details.billing_cycle_anchor === undefined && details.default_tax_rates === undefined) {
    if (cancellation === undefined) return renewal(await loadSnapshot(t, { subscriptionId: id, lock: false }), id);
    const { snapshot, decision } = await tryScheduling(t, id, cancellation, asOf);
    return renewal(applied(snapshot, decision), id);
  }
  const { snapshot, decision } = await tryChange(
    t,
    id,
    {
      ...(details.items === undefined ? {} : { items: itemChangesFrom(details.items, randomId, 'subscription_details[items]') }),
      ...(details.proration_date === undefined ? {} : { prorationDate: details.proration_date }),
      ...(details.billing_cycle_anchor === undefined ? {} : { billingCycleAnchor: details.billing_cycle_anchor }),
      ...(details.default_tax_rates === undefined ? {} : { defaultTaxRateIds: details.default_tax_rates ?? [] }),
      ...(cancellation === undefined ? {} : { cancellation }),
      prorationBehavior: details.proration_behavior ?? 'create_prorations',
      paymentBehavior: 'allow_incomplete',
    },
    asOf,
  );
  return madeBy(decision, snapshot) ?? renewal(applied(snapshot, decision), id);
}

/** What is billed at the next boundary: the renewal, or what is left to bill where the subscription ends before. */
function renewal(snapshot: BillingSnapshot, id: string): Invoice {
  const subscription = snapshot.subscription;
  if (subscription === null) throw notFound('subscription', id, 'subscription');
  const boundary = Math.min(subscription.currentPeriodEnd, subscription.cancelAt ?? subscription.currentPeriodEnd);
  return madeBy(tryRenewal(snapshot, boundary), snapshot) ?? noInvoice(id);
}

/** The snapshot as it would be read once the decision were written. */
function applied(snapshot: BillingSnapshot, decision: Decision): BillingSnapshot {
  const consumed = new Set([...decision.pendingItems.consume.map(({ id }) => id), ...decision.pendingItems.remove]);
  const pendingItems: InvoiceItem[] = [...snapshot.pendingItems.filter(({ id }) => !consumed.has(id)), ...decision.pendingItems.insert];
  const shrinks = new Map(decision.billed.shrink.map((shrink) => [shrink.id, shrink]));
  const changed = new Map(decision.invoices.map((invoice) => [invoice.id, invoice]));
  const last = decision.balance.at(-1);
  return {
    ...snapshot,
    subscription: decision.subscription ?? snapshot.subscription,
    customer: last === undefined ? snapshot.customer : { ...snapshot.customer, balance: last.endingBalance },
    pendingItems,
    billed: [
      ...snapshot.billed.map((period) => {
        const shrink = shrinks.get(period.id);
        return shrink === undefined ? period : { ...period, end: shrink.end, credited: shrink.credited };
      }),
      ...decision.billed.insert,
    ],
    openInvoices: snapshot.openInvoices.map((invoice) => changed.get(invoice.id) ?? invoice),
  };
}

/** The invoice a decision makes, as against those it only credits. */
const madeBy = (decision: Decision, snapshot: BillingSnapshot): Invoice | undefined =>
  decision.invoices.find((invoice) => !snapshot.openInvoices.some((open) => open.id === invoice.id));

function noInvoice(id: string | null): never {
  throw new ApiError(`No upcoming invoices for ${id === null ? 'this request' : `subscription ${id}`}`, {
    status: 404,
    code: 'invoice_upcoming_none',
  });
}

function refuse(details: Details, names: (keyof Details)[]): void {
  for (const name of names) {
    if (details[name] === undefined) continue;
    const param = `subscription_details[${name}]`;
    throw badRequest(`You cannot combine ${param} with the other parameters of this preview.`, param);
  }
}
