import { loadSnapshot } from '../db/billing-snapshot.ts';
import { type AccountTransaction, withAccount } from '../db/client.ts';
import { findCustomer } from '../db/customers.ts';
import { drawQuoteNumber, findQuote, insertQuote, updateQuote } from '../db/quotes.ts';
import { Refusal } from '../domain/errors.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import { checkSchedulable, scheduleOffered } from '../domain/quote/accept-quote.ts';
import { priceQuote, subscriptionOffered } from '../domain/quote/price-quote.ts';
import { asOfTime, type Quote } from '../domain/quote/quote.ts';
import { nextQuoteStatus } from '../domain/quote/transitions.ts';
import { redeemedBy } from '../domain/subscription/discount-subscription.ts';
import { type Instant, isoInstant } from '../domain/time.ts';
import type { RequestContext } from './context.ts';
import { inRestingTimeOf, inTimeOf } from './customer-clock.ts';
import { discountsFrom } from './discount-input.ts';
import { contextAt } from './dry-run.ts';
import { badRequest, notFound } from './errors.ts';
import { inlinePrices } from './inline-prices.ts';
import { presentQuotes } from './read-objects.ts';
import { openSchedule } from './schedule-commands.ts';
import { mergeMetadata } from './schemas/fields.ts';
import type { quoteCreate, quoteUpdate } from './schemas/quotes.ts';
import type { z } from './schemas/zod.ts';
import { createSubscription } from './subscription-commands.ts';
import { tell } from './tell-event.ts';

type CreateInput = z.output<typeof quoteCreate>;
type UpdateInput = z.output<typeof quoteUpdate>;

/** As Stripe. */
const LASTS_SECONDS = 30 * 86_400;

/** @throws ApiError 404 */
export async function quoteOf(t: AccountTransaction, id: string, lock = false): Promise<Quote> {
  const quote = await findQuote(t, id, { lock });
  if (quote === null) throw notFound('quote', id);
  return quote;
}

/** Makes a draft, new or after another quote, and lets its workflow wait for its end. @returns its id */
export async function createQuote(asked: RequestContext, params: CreateInput): Promise<string> {
  const from = params.from_quote;
  const source = from === undefined ? null : await withAccount(asked.db, asked.account.id, (t) => findQuote(t, from.quote));
  if (from !== undefined && source === null) throw notFound('quote', from.quote, 'from_quote[quote]');
  const customerId = params.customer ?? source?.customerId;
  if (customerId === undefined) throw badRequest('Missing required param: customer.', 'customer', 'parameter_missing');
  const context = await inRestingTimeOf(asked, { customerId });
  const now = context.now();
  if (from?.is_revision === true && source !== null) {
    if (asOfTime(source, now).status !== 'open') throw badRequest('Only an open quote can be revised.', 'from_quote[quote]');
    if (source.customerId !== customerId) throw badRequest('A revision is for the same customer.', 'customer');
  }
  if (source === null && params.line_items === undefined)
    throw badRequest('Missing required param: line_items.', 'line_items', 'parameter_missing');
  const { newId } = context;
  const blank: Omit<Quote, 'amounts'> = {
    id: newId(ID_PREFIX.quote),
    customerId,
    status: 'draft',
    number: null,
    currency: source?.currency ?? '',
    lines: (source?.lines ?? []).map((line) => ({ ...line, id: newId(ID_PREFIX.quoteLine), itemId: newId(ID_PREFIX.subscriptionItem) })),
    defaultTaxRateIds: source?.defaultTaxRateIds ?? [],
    discounts: source?.discounts ?? [],
    collectionMethod: source?.collectionMethod ?? 'charge_automatically',
    daysUntilDue: source?.daysUntilDue ?? null,
    expiresAt: now + LASTS_SECONDS,
    effectiveDate: source?.effectiveDate ?? null,
    trialPeriodDays: source?.trialPeriodDays ?? null,
    subscriptionDescription: source?.subscriptionDescription ?? null,
    subscriptionMetadata: source?.subscriptionMetadata ?? {},
    description: source?.description ?? null,
    header: source?.header ?? null,
    footer: source?.footer ?? null,
    metadata: source?.metadata ?? {},
    fromQuoteId: source?.id ?? null,
    isRevision: from?.is_revision ?? false,
    subscriptionId: newId(ID_PREFIX.subscription),
    scheduleId: newId(ID_PREFIX.subscriptionSchedule),
    accepted: null,
    createdAt: now,
    finalizedAt: null,
    acceptedAt: null,
    canceledAt: null,
  };
  const { id } = blank;
  const kept = await withAccount(context.db, context.account.id, async (t) => {
    const known = await findQuote(t, id);
    if (known !== null) return known;
    const customer = await findCustomer(t, customerId);
    if (customer === null || customer.deleted) throw notFound('customer', customerId, 'customer');
    const quote = await priced(context, t, { ...blank, ...termsFrom(context, params, blank) });
    if (await insertQuote(t, quote)) await tell(context, t, { type: 'quote.created', objectType: 'quote', after: quote });
    return quote;
  });
  await awaitEnd(context, kept);
  return id;
}

/** Changes a draft; what it comes to is computed anew. */
export async function changeQuote(asked: RequestContext, id: string, params: UpdateInput): Promise<void> {
  const context = await about(asked, id);
  const changed = await withAccount(context.db, context.account.id, async (t) => {
    const before = asOfTime(await quoteOf(t, id, true), context.now());
    if (before.status !== 'draft')
      throw new Refusal('transition_not_allowed', `The quote ${id} is ${before.status}; only a draft can be changed.`);
    const after = await priced(context, t, { ...before, ...termsFrom(context, params, before) });
    return keep(context, t, before, after, 'quote.updated');
  });
  await awaitEnd(context, changed);
}

/** Offers a draft: it gets its number, and cannot change any more. A revision takes the place of what it revises. */
export async function finalizeQuote(asked: RequestContext, id: string, expiresAt: Instant | undefined): Promise<void> {
  const context = await about(asked, id);
  const now = context.now();
  const settled = await withAccount(context.db, context.account.id, async (t) => {
    const before = asOfTime(await quoteOf(t, id, true), now);
    const status = nextQuoteStatus(id, before.status, 'finalized');
    checkExpiry(expiresAt, now);
    const source = before.isRevision && before.fromQuoteId !== null ? await quoteOf(t, before.fromQuoteId, true) : null;
    const offered = await priced(context, t, { ...before, expiresAt: expiresAt ?? before.expiresAt });
    const number = await numberFor(t, source);
    const after = await keep(context, t, before, { ...offered, status, number, finalizedAt: now }, 'quote.finalized');
    const revised = source === null ? null : asOfTime(source, now);
    if (source === null || revised?.status !== 'open') return [after];
    const canceled = { ...source, status: nextQuoteStatus(source.id, source.status, 'canceled'), canceledAt: now };
    return [after, await keep(context, t, source, canceled, 'quote.canceled')];
  });
  for (const quote of settled) await awaitEnd(context, quote);
}

/** "QT-0001-1": the account's series, and which revision. */
async function numberFor(t: AccountTransaction, source: Quote | null): Promise<string> {
  const [, root, revision] = /^(QT-\d+)-(\d+)$/.exec(source?.number ?? '') ?? [];
  if (root !== undefined) return `${root}-${Number(revision) + 1}`;
  return `QT-${String(await drawQuoteNumber(t)).padStart(4, '0')}-1`;
}

export async function cancelQuote(asked: RequestContext, id: string): Promise<void> {
  const context = await about(asked, id);
  const now = context.now();
  const after = await withAccount(context.db, context.account.id, async (t) => {
    const before = asOfTime(await quoteOf(t, id, true), now);
    const canceled = { ...before, status: nextQuoteStatus(id, before.status, 'canceled'), canceledAt: now };
    return keep(context, t, before, canceled, 'quote.canceled');
  });
  await awaitEnd(context, after);
}

/**
 * Creates what an open quote offers: its subscription now, or with a date to come the schedule that will. The quote is accepted in the transaction that creates it, under an operation of
 * the quote's own, so however often it is tried there is one. One that is accepted stays so.
 */
export async function acceptQuote(asked: RequestContext, id: string): Promise<void> {
  const known = await withAccount(asked.db, asked.account.id, (t) => quoteOf(t, id));
  if (known.status === 'accepted') return;
  const context = { ...(await inRestingTimeOf(asked, { customerId: known.customerId })), operationId: `accept:${id}` };
  const now = context.now();
  const quote = asOfTime(known, now);
  nextQuoteStatus(id, quote.status, 'accepted');
  const snapshot = await withAccount(context.db, context.account.id, (t) => snapshotFor(t, quote));
  const isLater = quote.effectiveDate !== null && quote.effectiveDate > now;
  if (isLater) await openSchedule(context, scheduleOffered(quote, snapshot));
  else await createSubscription(context, subscriptionOffered(quote, snapshot), inlinePrices(context.newId));
  await context.commands.quoteChanged(id);
}

export async function readQuote(asked: RequestContext, id: string) {
  const context = await about(asked, id, true);
  return withAccount(context.db, context.account.id, async (t) => {
    const [answer] = await presentQuotes(t, context.account, [await quoteOf(t, id)], context.now());
    if (answer === undefined) throw new Error(`the quote ${id} was not presented`);
    return answer;
  });
}

/** The request in the time of the quote's customer. @throws ApiError 404; 429 while their clock advances, where something is to change */
async function about(asked: RequestContext, id: string, reads = false): Promise<RequestContext> {
  const { customerId } = await withAccount(asked.db, asked.account.id, (t) => quoteOf(t, id));
  return reads ? inTimeOf(asked, { customerId }) : inRestingTimeOf(asked, { customerId });
}

/** The workflow that waits for the end; told again by a request that is repeated. */
async function awaitEnd(context: RequestContext, { id, status, expiresAt }: Quote): Promise<void> {
  const { testClock, account } = context;
  if (status !== 'draft' && status !== 'open') return context.commands.quoteChanged(id);
  const clock = testClock === undefined ? {} : { clock: { kind: 'frozen' as const, id: testClock.id, at: testClock.frozenTime } };
  await context.commands.awaitQuote({ accountId: account.id, quoteId: id, expiresAt, ...clock });
}

async function keep(context: RequestContext, t: AccountTransaction, before: Quote, after: Quote, type: string): Promise<Quote> {
  const { id, ...patch } = after;
  await updateQuote(t, id, patch);
  await tell(context, t, { type, objectType: 'quote', ...(type === 'quote.updated' ? { before } : {}), after });
  return after;
}

const snapshotFor = (t: AccountTransaction, quote: Omit<Quote, 'amounts'>) =>
  loadSnapshot(t, {
    customerId: quote.customerId,
    priceIds: quote.lines.map(({ priceId }) => priceId),
    taxRateIds: [...quote.defaultTaxRateIds, ...quote.lines.flatMap(({ taxRateIds }) => taxRateIds)],
    ...redeemedBy({ discounts: quote.discounts, items: quote.lines.map(({ itemId, ...line }) => ({ ...line, id: itemId })) }),
    lock: false,
  });

/** With what it comes to now. @throws Refusal what its subscription would be refused with */
async function priced(context: RequestContext, t: AccountTransaction, quote: Omit<Quote, 'amounts'>): Promise<Quote> {
  const snapshot = await snapshotFor(t, quote);
  const now = context.now();
  if (quote.effectiveDate !== null && quote.effectiveDate > now) checkSchedulable(quote);
  const { currency, amounts } = priceQuote(snapshot, { ...quote, currency: null }, contextAt(now));
  return { ...quote, currency, amounts };
}

function checkExpiry(expiresAt: Instant | undefined, now: Instant): void {
  if (expiresAt !== undefined && expiresAt <= now) throw badRequest(`expires_at must lie after now, ${isoInstant(now)}.`, 'expires_at');
}

function termsFrom(context: RequestContext, params: UpdateInput, before: Omit<Quote, 'amounts'>): Partial<Quote> {
  const { line_items: items, subscription_data: data, collection_method: collectionMethod, invoice_settings: settings } = params;
  checkExpiry(params.expires_at, context.now());
  const { newId } = context;
  const method = collectionMethod ?? before.collectionMethod;
  const daysUntilDue = settings?.days_until_due ?? (method === 'charge_automatically' ? null : before.daysUntilDue);
  const { discounts } = discountsFrom(params);
  return {
    ...(items === undefined
      ? {}
      : {
          lines: items.map((item) => ({
            id: newId(ID_PREFIX.quoteLine),
            itemId: newId(ID_PREFIX.subscriptionItem),
            priceId: item.price,
            quantity: String(item.quantity),
            taxRateIds: item.tax_rates ?? [],
            discounts: discountsFrom(item).discounts ?? [],
          })),
        }),
    collectionMethod: method,
    daysUntilDue,
    ...(params.default_tax_rates === undefined ? {} : { defaultTaxRateIds: params.default_tax_rates ?? [] }),
    ...(discounts === undefined ? {} : { discounts }),
    ...(params.expires_at === undefined ? {} : { expiresAt: params.expires_at }),
    ...(data?.effective_date === undefined ? {} : { effectiveDate: data.effective_date }),
    ...(data?.trial_period_days === undefined ? {} : { trialPeriodDays: data.trial_period_days }),
    ...(data?.description === undefined ? {} : { subscriptionDescription: data.description }),
    ...(data?.metadata === undefined ? {} : { subscriptionMetadata: mergeMetadata(before.subscriptionMetadata, data.metadata) }),
    ...(params.description === undefined ? {} : { description: params.description }),
    ...(params.header === undefined ? {} : { header: params.header }),
    ...(params.footer === undefined ? {} : { footer: params.footer }),
    ...(params.metadata === undefined ? {} : { metadata: mergeMetadata(before.metadata, params.metadata) }),
  };
}
