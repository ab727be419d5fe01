import { cycleOf } from '../catalog/find-price.ts';
import { isMetered, type Price } from '../catalog/price.ts';
import { ID_PREFIX } from '../ids.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import { bookBreakage, bookGrant } from '../ledger/book.ts';
import type { JournalTransaction } from '../ledger/journal.ts';
import { compareDecimals, exact, exactToString, MAX_AMOUNT, roundToMinor, times, wholeNumber } from '../money.ts';
import { itemPeriodOf } from '../subscription/anchor.ts';
import type { Subscription, SubscriptionItem } from '../subscription/subscription.ts';
import { hasEnded, isServed } from '../subscription/transitions.ts';
import type { Instant } from '../time.ts';
import { type CreditGrant, type CreditTransaction, hasExpired } from './grant.ts';

export interface RecurringFacts {
  before: Subscription | null;
  after: Subscription;
  grants: readonly CreditGrant[];
  prices: Readonly<Record<string, Price>>;
  /** Invoices of the subscription as they will be: those that are not paid yet, and those that the decision makes. */
  invoices: readonly Invoice[];
  asOf: Instant;
  newId: (prefix: string) => string;
}

/** Grants as they will be, each with how it was (null: new), and what moves and is booked with them. */
export interface RecurringChange {
  grants: { before: CreditGrant | null; after: CreditGrant }[];
  transactions: CreditTransaction[];
  journal: JournalTransaction[];
}

/**
 * What a decision about a subscription does to the credit that its prices give for each period. A period that begins while the subscription is active or past due gives the credit of each item whose own period
 * begins with it; the first one does so when it is paid for. What is left of a period that is over is carried over or lost (`settled`) as soon as no draft has still to draw from it. A period that is cut short takes
 * its credit with it, so that starting anew again and again gives no more. After the end of the subscription nothing is carried over, and what has not expired by then remains until it does.
 */
export function recurCredits(facts: RecurringFacts): RecurringChange {
  const { before, after, asOf } = facts;
  const own = facts.grants.filter(
    ({ recurring, remaining, voidedAt }) => recurring?.subscriptionId === after.id && remaining > 0 && voidedAt === null,
  );
  const begins = isServed(after.status) && (before?.status === 'incomplete' || before?.currentPeriodStart !== after.currentPeriodStart);
  const start = after.currentPeriodStart;
  const due = begins ? after.items.filter((item) => creditOf(facts, item) && periodOf(facts, item).start === start) : [];
  const shortened = own.map((grant) => {
    const isCut = due.some(({ id }) => id === grant.recurring?.itemId) && grant.expiresAt !== null && grant.expiresAt > start;
    return isCut ? { ...grant, expiresAt: start, updatedAt: asOf } : grant;
  });
  const isAwaited = facts.invoices.some(({ status }) => status === 'draft');
  const settled = isAwaited ? { grants: shortened, transactions: [], journal: [] } : settle(facts, shortened);
  const given = due.map((item) => grantFor(facts, item)).filter((grant) => grant.amount > 0);
  const changed = settled.grants.flatMap((grant) => {
    const was = own.find(({ id }) => id === grant.id);
    return was === undefined || was === grant ? [] : [{ before: was, after: grant }];
  });
  return {
    grants: [...changed, ...given.map((grant) => ({ before: null, after: grant }))],
    transactions: [...settled.transactions, ...given.map((grant) => moved(facts, grant, 'credits_granted', grant.amount, start))],
    journal: [...settled.journal, ...given.flatMap((grant) => bookGrant(grant, facts))],
  };
}

/** Carries over what may be, and writes the rest off; newest first, so that what is lost to a cap is what would have ended first. */
function settle(facts: RecurringFacts, own: readonly CreditGrant[]) {
  const { after, asOf } = facts;
  const ended = hasEnded(after.status);
  const carried = new Map<string, number>();
  const transactions: CreditTransaction[] = [];
  const journal: JournalTransaction[] = [];
  const newestFirst = [...own].sort((a, b) => b.effectiveAt - a.effectiveAt || (a.id < b.id ? -1 : 1));
  const grants = newestFirst.map((grant): CreditGrant => {
    const { recurring, expiresAt } = grant;
    if (recurring == null || expiresAt === null) return grant;
    if (!hasExpired(grant, asOf)) return ended ? { ...grant, recurring: null, updatedAt: asOf } : grant;
    if (!ended && !isServed(after.status)) return grant;
    const item = ended ? undefined : after.items.find(({ id }) => id === recurring.itemId);
    const next = item === undefined ? null : periodOf(facts, item).end;
    const kept = next === null || next <= expiresAt ? 0 : carriedOf(grant, carried.get(recurring.itemId) ?? 0);
    carried.set(recurring.itemId, (carried.get(recurring.itemId) ?? 0) + kept);
    const lost = grant.remaining - kept;
    if (lost > 0) {
      transactions.push(moved(facts, grant, 'credits_expired', -lost, expiresAt));
      journal.push(...bookBreakage(grant, lost, facts));
    }
    if (kept === 0) return { ...grant, remaining: 0, updatedAt: asOf };
    return {
      ...grant,
      remaining: kept,
      expiresAt: next,
      recurring: { ...recurring, periodsRolledOver: recurring.periodsRolledOver + 1 },
      updatedAt: asOf,
    };
  });
  return { grants, transactions, journal };
}

/** How much of a grant goes on for another period: its share rounded down, and no more than the cap leaves besides what others of the same item carry. */
function carriedOf({ remaining, recurring }: CreditGrant, besides: number): number {
  const terms = recurring?.rollover;
  if (recurring == null || terms == null) return 0;
  if (terms.maxPeriods !== null && recurring.periodsRolledOver >= terms.maxPeriods) return 0;
  const share = roundToMinor(wholeNumber(times(times(exact(remaining), terms.percent), '0.01'), 'down'));
  return terms.maxAmount === null ? share : Math.max(0, Math.min(share, terms.maxAmount - besides));
}

function grantFor(facts: RecurringFacts, item: SubscriptionItem): CreditGrant {
  const { after, asOf, newId, prices } = facts;
  const price = prices[item.priceId];
  const credit = price?.creditGrant;
  if (price === undefined || credit == null) throw new Error(`the price ${item.priceId} gives no credit`);
  const whole = times(exact(credit.amount), isMetered(price) ? '1' : item.quantity);
  const amount = compareDecimals(exactToString(whole), String(MAX_AMOUNT)) > 0 ? MAX_AMOUNT : roundToMinor(whole);
  const { start, end } = periodOf(facts, item);
  return {
    ...{ id: newId(ID_PREFIX.creditGrant), customerId: after.customerId, name: credit.name, category: credit.category },
    ...{ amount, remaining: amount, currency: price.currency, scope: credit.scope, priority: credit.priority },
    ...{ effectiveAt: start, expiresAt: end, voidedAt: null, metadata: {}, createdAt: asOf, updatedAt: asOf },
    recurring: { subscriptionId: after.id, itemId: item.id, priceId: price.id, rollover: credit.rollover, periodsRolledOver: 0 },
  };
}

const creditOf = ({ prices }: RecurringFacts, { priceId }: SubscriptionItem) => prices[priceId]?.creditGrant;

const periodOf = ({ after, prices }: RecurringFacts, item: SubscriptionItem) => itemPeriodOf(after, cycleOf(prices, item, after.cycle));

const moved = (
  { asOf, newId }: RecurringFacts,
  { id: grantId, customerId, currency }: CreditGrant,
  type: CreditTransaction['type'],
  amount: number,
  effectiveAt: Instant,
): CreditTransaction => ({
  ...{ id: newId(ID_PREFIX.creditTransaction), grantId, customerId, type, amount, currency, invoiceId: null, invoiceLineId: null },
  ...{ effectiveAt, createdAt: asOf },
});
