import { withAccount } from '../../db/client.ts';
import { listInvoices } from '../../db/invoices.ts';
import { route } from '../define-route.ts';
import { badRequest } from '../errors.ts';
import { commandInvoice, createInvoice, deleteInvoice, describeInvoice, invoiceOf, readInvoice } from '../invoice-commands.ts';
import { createdIn, listAnswer, pageInMemory, pageOf } from '../paging.ts';
import { presentLine } from '../presenters/invoice-lines.ts';
import { previewInvoice } from '../preview.ts';
import { presentInvoices } from '../read-objects.ts';
import { recompute } from '../recompute.ts';
import { deletedOf, expand, listOf } from '../schemas/fields.ts';
import { invoiceLine } from '../schemas/invoice-lines.ts';
import { invoicePreview, invoicePreviewAnswer } from '../schemas/invoice-preview.ts';
import * as schemas from '../schemas/invoices.ts';
import { recomputation } from '../schemas/recomputations.ts';
import { z } from '../schemas/zod.ts';

const one = { tag: 'Invoices', answer: schemas.invoice, kind: 'invoice' } as const;

export const invoiceRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/create_preview',
    summary: 'What would be billed: a renewal, a change, a cancellation or a new subscription',
    params: invoicePreview,
    answer: invoicePreviewAnswer,
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
    method: 'post',
    path: '/v1/invoices',
    summary: 'Create a draft invoice of no subscription, empty or of the items that wait for one',
    params: schemas.invoiceCreate,
    handle: (context, { params }) => createInvoice(context, params),
  }),
  route({
    ...one,
    method: 'delete',
    path: '/v1/invoices/:id',
    summary: 'Delete a draft of no subscription; its items wait for the next invoice again',
    params: z.strictObject({}),
    answer: deletedOf('invoice'),
    handle: (context, { path: { id = '' } }) => deleteInvoice(context, id),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id',
    summary: 'Change a draft: whether it finalises itself, and its words',
    params: schemas.invoiceUpdate,
    handle: async (context, { path: { id = '' }, params }) => {
      await describeInvoice(context, id, params);
      if (params.auto_advance === undefined) return readInvoice(context, id);
      return commandInvoice(context, id, { do: 'set_auto_advance', autoAdvance: params.auto_advance });
    },
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
    answer: listOf(invoiceLine),
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
    params: schemas.invoiceFinalize,
    handle: (context, { path: { id = '' }, params }) =>
      commandInvoice(context, id, { do: 'finalize', ...(params.auto_advance === undefined ? {} : { autoAdvance: params.auto_advance }) }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/recompute',
    summary: "What a finalised invoice would be with today's inputs, and the credit note that would follow; nothing is written",
    params: z.strictObject({ expand }),
    answer: recomputation,
    kind: 'invoice_recomputation',
    handle: (context, { path: { id = '' } }) => recompute(context, id),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/pay',
    summary: 'Try to collect an open invoice now, or mark it as paid another way',
    params: schemas.invoicePay,
    handle: (context, { path: { id = '' }, params }) => {
      const { payment_method: method, paid_out_of_band: outOfBand = false } = params;
      if (outOfBand && method !== undefined)
        throw badRequest('What was paid out of band is not charged.', 'payment_method', 'parameters_exclusive');
      return commandInvoice(context, id, outOfBand ? { do: 'pay_out_of_band' } : { do: 'pay', paymentMethodId: method ?? null });
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/send',
    summary: 'Send an invoice to its customer; a draft is finalised first',
    params: schemas.invoiceCommand,
    handle: (context, { path: { id = '' } }) => commandInvoice(context, id, { do: 'send' }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/void',
    summary: 'Void an open invoice',
    params: schemas.invoiceCommand,
    handle: (context, { path: { id = '' } }) => commandInvoice(context, id, { do: 'void' }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoices/:id/mark_uncollectible',
    summary: 'Give up an open invoice as a bad debt',
    params: schemas.invoiceCommand,
    handle: (context, { path: { id = '' } }) => commandInvoice(context, id, { do: 'mark_uncollectible' }),
  }),
];
