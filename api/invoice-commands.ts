import { loadSnapshot } from '../db/billing-snapshot.ts';
import { type AccountTransaction, withAccount } from '../db/client.ts';
import { editQuery } from '../db/edit-query.ts';
import { insertInvoiceEdit } from '../db/invoice-edits.ts';
import { findInvoice, updateInvoice } from '../db/invoices.ts';
import { findOperation } from '../db/operations.ts';
import { findPaymentAttempt } from '../db/payment-attempts.ts';
import { findPaymentMethod } from '../db/payment-methods.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import { type DraftEdit, decideEdit } from '../domain/invoicing/edit-draft.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import { checkSendable } from '../domain/invoicing/send-invoice.ts';
import { changeableDraft } from '../domain/invoicing/set-auto-advance.ts';
import type { InvoiceCommand, StartInvoice } from '../workflows/messages.ts';
import type { RequestContext } from './context.ts';
import { inRestingTimeOf } from './customer-clock.ts';
import { ApiError, noAnswerInTime, notFound } from './errors.ts';
import type { InlinePrices } from './inline-prices.ts';
import { randomId } from './new-id.ts';
import { presentInvoices } from './read-objects.ts';
import { tryOrTell } from './remember-refusal.ts';
import { mergeMetadata } from './schemas/fields.ts';
import type { invoiceCreate, invoiceUpdate } from './schemas/invoices.ts';
import type { z } from './schemas/zod.ts';
import { tell } from './tell-event.ts';

/** @throws ApiError 404 */
export async function invoiceOf(t: AccountTransaction, id: string, param = 'id'): Promise<Invoice> {
  const invoice = await findInvoice(t, id);
  if (invoice === null) throw notFound('invoice', id, param);
  return invoice;
}

export const readInvoice = (context: RequestContext, id: string) =>
  withAccount(context.db, context.account.id, async (t) => {
    const [answer] = await presentInvoices(t, context.account, [await invoiceOf(t, id)]);
    if (answer === undefined) throw notFound('invoice', id);
    return answer;
  });

type Deed =
  | { do: 'void' | 'mark_uncollectible' | 'pay_out_of_band' }
  | { do: 'send' }
  | { do: 'finalize'; autoAdvance?: boolean }
  | { do: 'set_auto_advance'; autoAdvance: boolean }
  | { do: 'edit'; editId: string }
  | { do: 'pay'; paymentMethodId: string | null };

/** Sends a command to the invoice's workflow and answers with the invoice; a declined payment is a 402, as with Stripe. */
export async function commandInvoice(asked: RequestContext, id: string, deed: Deed) {
  const context = await inRestingTimeOf(asked, { invoiceId: id });
  const invoice = await withAccount(context.db, context.account.id, async (t) => {
    if (deed.do === 'pay' && deed.paymentMethodId !== null && (await findPaymentMethod(t, deed.paymentMethodId)) === null) {
      throw notFound('PaymentMethod', deed.paymentMethodId, 'payment_method');
    }
    return invoiceOf(t, id);
  });
  const { subscriptionId, customerId } = invoice;
  if (deed.do === 'send') {
    const asked = { subscriptionId, invoiceId: id, verb: 'send-invoice', parameters: {} } as const;
    await tryOrTell(context, asked, async () => checkSendable(invoice));
  }
  const start = { accountId: context.account.id, invoiceId: id, subscriptionId, customerId };
  const order = deed.do === 'send' ? ({ ...deed, do: 'send', finalize: invoice.status === 'draft' } as const) : deed;
  const { payment } = await send(context, start, order);
  if (deed.do === 'pay' && payment !== null) await refuseUnpaid(context, payment);
  return readInvoice(context, id);
}

type Payment = NonNullable<Awaited<ReturnType<RequestContext['commands']['commandInvoice']>>['payment']>;

async function refuseUnpaid(context: RequestContext, payment: Payment): Promise<void> {
  switch (payment.outcome) {
    case 'paid':
    case 'nothing_due':
    case 'processing':
      return;
    case 'unknown':
      throw noAnswerInTime();
    case 'no_payment_method':
      throw new ApiError(
        'There is no payment method to charge: attach one to the customer and make it the default, or name it with payment_method.',
        {
          status: 400,
          code: 'resource_missing',
          param: 'payment_method',
        },
      );
    case 'requires_action':
      throw new ApiError('The payment method requires the customer to act.', {
        status: 402,
        type: 'card_error',
        code: 'invoice_payment_intent_requires_action',
      });
    case 'declined': {
      const { attemptId } = payment;
      const attempt =
        attemptId === null ? null : await withAccount(context.db, context.account.id, (t) => findPaymentAttempt(t, attemptId));
      throw new ApiError(attempt?.declineMessage ?? 'The payment was declined.', {
        status: 402,
        type: 'card_error',
        code: 'card_declined',
        declineCode: payment.declineCode ?? undefined,
      });
    }
  }
}

/**
 * Writes the words on an invoice, which decide nothing: description and footer of a draft, metadata of any invoice. The customer stays locked, so a decision about the
 * invoice comes before or after.
 * @throws ApiError 404; Refusal invoice_not_draft, transition_not_allowed
 */
export async function describeInvoice(asked: RequestContext, id: string, params: z.output<typeof invoiceUpdate>): Promise<void> {
  const context = await inRestingTimeOf(asked, { invoiceId: id });
  const { subscriptionId } = await withAccount(context.db, context.account.id, (t) => invoiceOf(t, id));
  const { expand: _, ...parameters } = params;
  await tryOrTell(context, { subscriptionId, invoiceId: id, verb: 'edit-invoice', parameters }, () =>
    withAccount(context.db, context.account.id, async (t) => {
      const snapshot = await loadSnapshot(t, { invoiceId: id, lock: true });
      for (const param of ['auto_advance', 'description', 'footer'] as const) {
        if (params[param] !== undefined) changeableDraft(snapshot, context.now(), param);
      }
      const before = snapshot.invoice;
      if (before === null) throw notFound('invoice', id);
      const after = {
        ...before,
        ...(params.description === undefined ? {} : { description: params.description }),
        ...(params.footer === undefined ? {} : { footer: params.footer }),
        metadata: mergeMetadata(before.metadata, params.metadata),
      };
      if (JSON.stringify(after) === JSON.stringify(before)) return;
      await updateInvoice(t, id, { description: after.description, footer: after.footer, metadata: after.metadata });
      await tell(context, t, { type: 'invoice.updated', objectType: 'invoice', before, after });
    }),
  );
}

/**
 * Tries the edit, writes it down and has the draft's workflow carry it out. What it says stays in Postgres: the workflow is told its id.
 * @throws Refusal what the edit is refused with
 */
export async function editInvoice(
  context: RequestContext,
  { id, subscriptionId, customerId }: Pick<Invoice, 'id' | 'subscriptionId' | 'customerId'>,
  edit: DraftEdit,
  inline?: InlinePrices,
): Promise<void> {
  const { operationId } = context;
  await tryOrTell(context, { subscriptionId, invoiceId: id, verb: 'edit-invoice', parameters: edit }, () =>
    withAccount(context.db, context.account.id, async (t) => {
      if ((await findOperation(t, operationId)) !== null) return;
      await inline?.write(t, context);
      const snapshot = await loadSnapshot(t, { ...editQuery({ invoiceId: id }, edit), lock: false });
      decideEdit(snapshot, edit, { asOf: context.now(), newId: randomId });
      await insertInvoiceEdit(t, { id: operationId, invoiceId: id, edit, createdAt: context.now() });
    }),
  );
  await send(context, { accountId: context.account.id, invoiceId: id, subscriptionId, customerId }, { do: 'edit', editId: operationId });
}

/** Charges an invoice of no subscription once more, to whatever is to be charged now. @returns what became of it; a decline is no error */
export const payAgain = (context: RequestContext, { invoiceId, customerId }: { invoiceId: string; customerId: string }) =>
  send(
    { ...context, operationId: `${context.operationId}:${invoiceId}` },
    { accountId: context.account.id, invoiceId, subscriptionId: null, customerId },
    { do: 'pay', paymentMethodId: null },
  );

type Order = Exclude<Deed, { do: 'send' }> | { do: 'send'; finalize: boolean };

function send(context: RequestContext, start: StartInvoice, deed: Order) {
  const { operationId, actor, testClock } = context;
  context.log.info({ workflowId: `invoice:${start.invoiceId}`, operationId }, `invoice ${deed.do}`);
  const order: InvoiceCommand = {
    operationId,
    actor,
    ...deed,
    ...(testClock === undefined ? {} : { at: testClock.frozenTime, testClock: testClock.id }),
  };
  return context.commands.commandInvoice(start, order);
}

/** A draft for a customer, of no subscription. */
export async function createInvoice(asked: RequestContext, params: z.output<typeof invoiceCreate>) {
  const context = await inRestingTimeOf(asked, { customerId: params.customer });
  const id = context.newId(ID_PREFIX.invoice);
  const { customer, currency, description = null, footer = null } = params;
  const invoice = {
    ...{ id, customerId: customer, description, footer },
    ...(currency === undefined ? {} : { currency }),
    ...(params.collection_method === undefined ? {} : { collectionMethod: params.collection_method }),
    ...(params.days_until_due === undefined ? {} : { daysUntilDue: params.days_until_due }),
    ...(params.due_date === undefined ? {} : { dueDate: params.due_date }),
    pendingItems: params.pending_invoice_items_behavior,
    metadata: mergeMetadata({}, params.metadata),
  };
  await editInvoice(context, { id, subscriptionId: null, customerId: customer }, { do: 'create', invoice });
  return readInvoice(context, id);
}

export async function deleteInvoice(asked: RequestContext, id: string) {
  const context = await inRestingTimeOf(asked, { invoiceId: id });
  const [done, invoice] = await withAccount(context.db, context.account.id, async (t) => [
    await findOperation(t, context.operationId),
    await findInvoice(t, id),
  ]);
  if (done === null && invoice === null) throw notFound('invoice', id);
  if (done === null && invoice !== null) await editInvoice(context, invoice, { do: 'delete' });
  return { id, object: 'invoice', deleted: true };
}
