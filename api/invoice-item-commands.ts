import { loadSnapshot } from '../db/billing-snapshot.ts';
import { withAccount } from '../db/client.ts';
import { digest } from '../db/digest.ts';
import { editQuery } from '../db/edit-query.ts';
import { findLivingInvoiceItem } from '../db/invoice-items.ts';
import { findOperation } from '../db/operations.ts';
import { recordDecision } from '../db/record-decision.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import { type DraftEdit, decideEdit } from '../domain/invoicing/edit-draft.ts';
import type { ItemTerms } from '../domain/invoicing/edit-item.ts';
import type { InvoiceItem } from '../domain/invoicing/invoice.ts';
import type { RequestContext } from './context.ts';
import { inRestingTimeOf } from './customer-clock.ts';
import { discountsFrom } from './discount-input.ts';
import { badRequest, noAnswerInTime, notFound } from './errors.ts';
import { type InlinePrices, inlinePrices } from './inline-prices.ts';
import { editInvoice, invoiceOf } from './invoice-commands.ts';
import { tryOrTell } from './remember-refusal.ts';
import { mergeMetadata } from './schemas/fields.ts';
import type { invoiceItemCreate, invoiceItemUpdate } from './schemas/invoice-items.ts';
import type { z } from './schemas/zod.ts';

/** Puts the item onto the draft it names, through the draft's workflow; one that waits for an invoice is a row like any other. @returns its id */
export async function addInvoiceItem(asked: RequestContext, params: z.output<typeof invoiceItemCreate>): Promise<string> {
  const context = await inRestingTimeOf(asked, { customerId: params.customer });
  const id = context.newId(ID_PREFIX.invoiceItem);
  const inline = inlinePrices(context.newId);
  const pricing = priceFrom(params, id, inline);
  const { invoice: invoiceId = null, subscription: subscriptionId = null, currency } = params;
  const edit: DraftEdit = {
    do: 'add_item',
    item: { id, subscriptionId, invoiceId, ...termsFrom(params, {}, pricing), ...(currency === undefined ? {} : { currency }) },
  };
  if (invoiceId === null) await editPending(context, { customerId: params.customer, subscriptionId }, edit, inline);
  else {
    const invoice = await withAccount(context.db, context.account.id, (t) => invoiceOf(t, invoiceId, 'invoice'));
    if (invoice.customerId !== params.customer) throw notFound('invoice', invoiceId, 'invoice');
    await editInvoice(context, invoice, edit, inline);
  }
  return id;
}

export async function changeInvoiceItem(asked: RequestContext, id: string, params: z.output<typeof invoiceItemUpdate>): Promise<void> {
  const inline = inlinePrices(asked.newId);
  const pricing = priceFrom(params, id, inline);
  await editItem(asked, id, (item) => ({ do: 'change_item', itemId: id, terms: termsFrom(params, item.line.metadata, pricing) }), inline);
}

export async function removeInvoiceItem(asked: RequestContext, id: string): Promise<void> {
  await editItem(asked, id, () => ({ do: 'remove_item', itemId: id }));
}

/** Where the item is on an invoice by now, that invoice's workflow does it. */
async function editItem(asked: RequestContext, id: string, edit: (item: InvoiceItem) => DraftEdit, inline?: InlinePrices): Promise<void> {
  const read = () => withAccount(asked.db, asked.account.id, (t) => findLivingInvoiceItem(t, id));
  const done = await withAccount(asked.db, asked.account.id, (t) => findOperation(t, asked.operationId));
  if (done !== null) return;
  let item = await read();
  if (item === null) throw notFound('invoiceitem', id);
  const context = await inRestingTimeOf(asked, { customerId: item.customerId });
  if (item.invoiceId === null) {
    if (await editPending(context, item, edit(item), inline)) return;
    item = await read();
  }
  const invoiceId = item?.invoiceId ?? null;
  if (item === null || invoiceId === null) throw noAnswerInTime();
  const invoice = await withAccount(context.db, context.account.id, (t) => invoiceOf(t, invoiceId));
  await editInvoice(context, invoice, edit(item), inline);
}

/**
 * Load -> decide -> record for what is on no invoice yet, the customer locked. Carried out once per operation.
 * @returns false where the item has come onto an invoice meanwhile, and nothing was done
 */
const editPending = (
  context: RequestContext,
  { customerId, subscriptionId }: Pick<InvoiceItem, 'customerId' | 'subscriptionId'>,
  edit: DraftEdit,
  inline?: InlinePrices,
): Promise<boolean> =>
  tryOrTell(context, { subscriptionId, verb: 'edit-invoice-item', parameters: edit }, () =>
    withAccount(context.db, context.account.id, async (t) => {
      const { operationId, actor, newId } = context;
      await inline?.write(t, context);
      const snapshot = await loadSnapshot(t, { ...editQuery({ customerId }, edit), lock: true });
      if ((await findOperation(t, operationId)) !== null) return true;
      if (snapshot.item !== null && snapshot.item.invoiceId !== null) return false;
      const asOf = context.now();
      const decision = decideEdit(snapshot, edit, { asOf, newId });
      const operation = {
        operationId,
        kind: 'edit-invoice-item' as const,
        asOf,
        requestHash: digest(JSON.stringify(edit)),
        subscriptionId,
        invoiceId: null,
        actor,
        paymentBehavior: null,
      };
      await recordDecision(t, operation, decision, () => null);
      return true;
    }),
  );

/** The price it names or brings along. @throws ApiError 400 where it says what it costs in two ways */
function priceFrom(params: z.output<typeof invoiceItemUpdate>, itemId: string, inline: InlinePrices): { priceId?: string } {
  const { pricing, price_data: data, ...others } = params;
  const second = (['amount', 'unit_amount_decimal'] as const).find((name) => others[name] !== undefined);
  if (data !== undefined && (second !== undefined || pricing !== undefined))
    throw badRequest(
      `You may only specify one of these parameters: ${second ?? 'pricing'}, price_data.`,
      'price_data',
      'parameters_exclusive',
    );
  const priceId = inline.idOf({ price: pricing?.price, price_data: data }, itemId, '');
  return priceId === undefined ? {} : { priceId };
}

export function termsFrom(
  params: z.output<typeof invoiceItemUpdate>,
  present: Record<string, string>,
  pricing: { priceId?: string },
): ItemTerms {
  const {
    amount,
    unit_amount_decimal: unitAmountDecimal,
    quantity,
    description,
    period,
    tax_rates: rates,
    metadata,
    discountable,
  } = params;
  return {
    ...(amount === undefined ? {} : { amount }),
    ...pricing,
    ...(unitAmountDecimal === undefined ? {} : { unitAmountDecimal }),
    ...(quantity === undefined ? {} : { quantity: String(quantity) }),
    ...(description === undefined ? {} : { description: description ?? '' }),
    ...(period === undefined ? {} : { period }),
    ...(rates === undefined ? {} : { taxRateIds: rates ?? [] }),
    ...discountsFrom(params),
    ...(discountable === undefined ? {} : { discountable }),
    ...(metadata === undefined ? {} : { metadata: mergeMetadata(present, metadata) }),
  };
}
