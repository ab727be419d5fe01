import { withAccount } from '../../db/client.ts';
import { findLivingInvoiceItem, listInvoiceItems } from '../../db/invoice-items.ts';
import type { RequestContext } from '../context.ts';
import { route } from '../define-route.ts';
import { notFound } from '../errors.ts';
import { addInvoiceItem, changeInvoiceItem, removeInvoiceItem } from '../invoice-item-commands.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentInvoiceItems } from '../read-objects.ts';
import { deletedOf, expand, listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/invoice-items.ts';
import { z } from '../schemas/zod.ts';

const one = { tag: 'Invoice items', answer: schemas.invoiceItem, kind: 'invoiceitem' } as const;

const read = (context: RequestContext, id: string) =>
  withAccount(context.db, context.account.id, async (t) => {
    const item = await findLivingInvoiceItem(t, id);
    const [answer] = item === null ? [] : await presentInvoiceItems(t, context.account, [item]);
    if (answer === undefined) throw notFound('invoiceitem', id);
    return answer;
  });

export const invoiceItemRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/invoiceitems',
    summary: 'Add an item to a draft invoice, or to the next one of a subscription or customer',
    params: schemas.invoiceItemCreate,
    handle: async (context, { params }) => read(context, await addInvoiceItem(context, params)),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/invoiceitems/:id',
    summary: 'Retrieve an invoice item',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) => read(context, id),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/invoiceitems/:id',
    summary: 'Change an item that is on no final invoice',
    params: schemas.invoiceItemUpdate,
    handle: async (context, { path: { id = '' }, params }) => {
      await changeInvoiceItem(context, id, params);
      return read(context, id);
    },
  }),
  route({
    ...one,
    method: 'delete',
    path: '/v1/invoiceitems/:id',
    summary: 'Delete an item that is on no final invoice',
    params: z.strictObject({}),
    answer: deletedOf('invoiceitem'),
    handle: async (context, { path: { id = '' } }) => {
      await removeInvoiceItem(context, id);
      return { id, object: 'invoiceitem', deleted: true };
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/invoiceitems',
    summary: 'List invoice items',
    params: schemas.invoiceItemList,
    answer: listOf(schemas.invoiceItem),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listInvoiceItems(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...(params.customer === undefined ? {} : { customerId: params.customer }),
          ...(params.invoice === undefined ? {} : { invoiceId: params.invoice }),
          ...(params.pending === undefined ? {} : { pending: params.pending }),
        });
        return listAnswer('/v1/invoiceitems', await presentInvoiceItems(t, context.account, page.items), page.hasMore);
      }),
  }),
];
