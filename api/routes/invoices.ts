import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findInvoice, listInvoices } from '../../db/invoices.ts';
import { findPaymentAttempt } from '../../db/payment-attempts.ts';
import { findPaymentMethod } from '../../db/payment-methods.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import type { InvoiceCommand } from '../../workflows/messages.ts';
import type { RequestContext } from '../context.ts';
import { inRestingTimeOf } from '../customer-clock.ts';
import { route } from '../define-route.ts';
import { ApiError, noAnswerInTime, notFound } from '../errors.ts';
import { createdIn, listAnswer, pageInMemory, pageOf } from '../paging.ts';
import { presentLine } from '../presenters/invoice-lines.ts';
import { previewInvoice } from '../preview.ts';
import { presentInvoices } from '../read-objects.ts';
import { expand, listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/invoices.ts';
import { z } from '../schemas/zod.ts';

const one = { tag: 'Invoices', answer: schemas.invoice, kind: 'invoice' } as const;

async function invoiceOf(t: AccountTransaction, id: string): Promise<Invoice> {
  const invoice = await findInvoice(t, id);
  if (invoice === null) throw notFound('invoice', id);
  return invoice;
}

const readInvoice = (context: RequestContext, id: string) =>
  withAccount(context.db, context.account.id, async (t) => {
    const [answer] = await presentInvoices(t, context.account, [await invoiceOf(t, id)]);
    if (answer === undefined) throw notFound('invoice', id);
    return answer;
  });

type Deed = { do: 'finalize' | 'void' | 'mark_uncollectible' } | { do: 'pay'; paymentMethodId: string | null };

/** Sends a command to the invoice's workflow and answers with the invoice; a declined payment is a 402, as with Stripe. */
async function command(asked: RequestContext, id: string, deed: Deed) {
  const context = await inRestingTimeOf(asked, { invoiceId: id });
  const { testClock } = context;
  const invoice = await withAccount(context.db, context.account.id, async (t) => {
    if (deed.do === 'pay' && deed.paymentMethodId !== null && (await findPaymentMethod(t, deed.paymentMethodId)) === null) {
      throw notFound('PaymentMethod', deed.paymentMethodId, 'payment_method');
    }
    return invoiceOf(t, id);
  });
  context.log.info({ workflowId: `invoice:${id}`, operationId: context.operationId }, `invoice ${deed.do}`);
  const start = { accountId: context.account.id, invoiceId: id, subscriptionId: invoice.subscriptionId };
  const order: InvoiceCommand = {
    operationId: context.operationId,
    actor: context.actor,
    ...deed,
    ...(testClock === undefined ? {} : { at: testClock.frozenTime }),
  };
  const { payment } = await context.commands.commandInvoice(start, order);
  if (payment !== null) await refuseUnpaid(context, payment);
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

export const invoiceRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/create_preview',
    summary: 'What would be billed: a renewal, a change, a cancellation or a new subscription',
    params: schemas.invoicePreview,
    answer: schemas.invoicePreviewAnswer,
    handle: (context, { params }) => previewInvoice(context, params),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/invoices/:id',
    summary: 'Retrieve an invoice',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) => readInvoice(context, id),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/invoices',
    summary: 'List invoices',
    params: schemas.invoiceList,
    answer: listOf(schemas.invoice),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listInvoices(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...(params.customer === undefined ? {} : { customerId: params.customer }),
          ...(params.subscription === undefined ? {} : { subscriptionId: params.subscription }),
          ...(params.status === undefined ? {} : { status: params.status }),
        });
        return listAnswer('/v1/invoices', await presentInvoices(t, context.account, page.items), page.hasMore);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/invoices/:id/lines',
    summary: "List an invoice's lines",
    params: schemas.lineList,
    answer: listOf(schemas.invoiceLine),
    kind: 'line_item',
    list: true,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const invoice = await invoiceOf(t, id);
        const page = pageInMemory(invoice.lines, params);
        return listAnswer(
          `/v1/invoices/${id}/lines`,
          page.items.map((line) => presentLine(line, invoice, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/finalize',
    summary: 'Finalise a draft invoice',
    params: schemas.invoiceCommand,
    handle: (context, { path: { id = '' } }) => command(context, id, { do: 'finalize' }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/pay',
    summary: 'Try to collect an open invoice now',
    params: schemas.invoicePay,
    handle: (context, { path: { id = '' }, params }) => command(context, id, { do: 'pay', paymentMethodId: params.payment_method ?? null }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/void',
    summary: 'Void an open invoice',
    params: schemas.invoiceCommand,
    handle: (context, { path: { id = '' } }) => command(context, id, { do: 'void' }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/mark_uncollectible',
    summary: 'Give up an open invoice as a bad debt',
    params: schemas.invoiceCommand,
    handle: (context, { path: { id = '' } }) => command(context, id, { do: 'mark_uncollectible' }),
  }),
];
