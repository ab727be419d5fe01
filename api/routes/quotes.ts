import { withAccount } from '../../db/client.ts';
import { listQuotes } from '../../db/quotes.ts';
import type { RequestContext } from '../context.ts';
import { route } from '../define-route.ts';
import { listAnswer, pageInMemory, pageOf } from '../paging.ts';
import { acceptQuote, cancelQuote, changeQuote, createQuote, finalizeQuote, quoteOf, readQuote } from '../quote-commands.ts';
import { presentQuoteLines, presentQuotes } from '../read-objects.ts';
import { expand, listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/quotes.ts';
import { z } from '../schemas/zod.ts';

const one = { tag: 'Quotes', answer: schemas.quote, kind: 'quote' } as const;
const lines = { tag: 'Quotes', answer: listOf(schemas.quoteLine), kind: 'quote_line', list: true, params: schemas.quoteLineList } as const;

const listLines = (context: RequestContext, id: string, place: string, params: z.output<typeof schemas.quoteLineList>, upfront: boolean) =>
  withAccount(context.db, context.account.id, async (t) => {
    const quote = await quoteOf(t, id);
    const page = pageInMemory(await presentQuoteLines(t, context.account, quote, upfront), params);
    return listAnswer(`/v1/quotes/${id}/${place}`, page.items, page.hasMore);
  });

export const quoteRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/quotes',
    summary: 'Draft a quote, new or after another one',
    params: schemas.quoteCreate,
    handle: async (context, { params }) => readQuote(context, await createQuote(context, params)),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/quotes/:id',
    summary: 'Retrieve a quote',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) => readQuote(context, id),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/quotes/:id',
    summary: 'Change a draft quote',
    params: schemas.quoteUpdate,
    handle: async (context, { path: { id = '' }, params }) => {
      await changeQuote(context, id, params);
      return readQuote(context, id);
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/quotes/:id/finalize',
    summary: 'Offer a draft quote: it gets its number and cannot change any more',
    params: schemas.quoteFinalize,
    handle: async (context, { path: { id = '' }, params }) => {
      await finalizeQuote(context, id, params.expires_at);
      return readQuote(context, id);
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/quotes/:id/accept',
    summary: 'Accept an open quote: its subscription begins, or the schedule that will create it',
    params: schemas.quoteCommand,
    handle: async (context, { path: { id = '' } }) => {
      await acceptQuote(context, id);
      return readQuote(context, id);
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/quotes/:id/cancel',
    summary: 'Cancel a quote that nobody has accepted',
    params: schemas.quoteCommand,
    handle: async (context, { path: { id = '' } }) => {
      await cancelQuote(context, id);
      return readQuote(context, id);
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/quotes',
    summary: 'List quotes',
    params: schemas.quoteList,
    answer: listOf(schemas.quote),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listQuotes(t, { ...pageOf(params), customerId: params.customer, status: params.status });
        return listAnswer('/v1/quotes', await presentQuotes(t, context.account, page.items, context.now()), page.hasMore);
      }),
  }),
  route({
    ...lines,
    method: 'get',
    path: '/v1/quotes/:id/line_items',
    summary: "List a quote's line items",
    handle: (context, { path: { id = '' }, params }) => listLines(context, id, 'line_items', params, false),
  }),
  route({
    ...lines,
    method: 'get',
    path: '/v1/quotes/:id/computed_upfront_line_items',
    summary: 'List the line items of the first invoice',
    handle: (context, { path: { id = '' }, params }) => listLines(context, id, 'computed_upfront_line_items', params, true),
  }),
];
