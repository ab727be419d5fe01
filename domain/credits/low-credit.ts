import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import type { Cycle, Metadata } from '../catalog/price.ts';
import { sum } from '../money.ts';
import { type Instant, localDate } from '../time.ts';
import { type CreditGrant, type CreditScope, isAvailable } from './grant.ts';

/** What is bought when a customer's credit runs low. A customer has at most one of a currency. */
export interface CreditTopUp {
  id: string;
  customerId: string;
  name: string | null;
  currency: string;
  /** Minor units: once less than this is available, `amount` is bought. */
  threshold: number;
  amount: number;
  /** Of what is bought; and whose balance is watched. */
  scope: CreditScope;
  priority: number;
  /** How long what is bought is good; null: it never expires. */
  expiresAfter: Cycle | null;
  /** Charged; null, or detached since: the customer's default. */
  paymentMethodId: string | null;
  /** How many are made in a calendar month of the billing zone; null: as many as it takes. */
  maxPerMonth: number | null;
  active: boolean;
  /** How many it has made; the next one is `count + 1`. */
  count: number;
  /** The month of the last one ("2027-03") and how many were made in it. */
  month: string | null;
  monthCount: number;
  /** Made and not paid yet: no other is made meanwhile. */
  pendingInvoiceId: string | null;
  /** When the payment of that failed: nothing is tried by itself until it is paid or voided. */
  suspendedAt: Instant | null;
  latestInvoiceId: string | null;
  metadata: Metadata;
  createdAt: Instant;
  updatedAt: Instant;
}

/** That one is due: the number is the crossing's, so that whoever says it twice has it made once. */
export interface LowCredit {
  topUpId: string;
  number: number;
}

const sameScope = (a: CreditScope, b: CreditScope): boolean =>
  'priceIds' in a
    ? 'priceIds' in b && a.priceIds.length === b.priceIds.length && a.priceIds.every((id) => b.priceIds.includes(id))
    : !('priceIds' in b) && a.priceType === b.priceType;

/** What could be drawn then of the grants that are for what the top-up is for, minor units; `drawn` of each by what is used and not billed yet is as good as gone. */
function availableTo(rule: CreditTopUp, grants: readonly CreditGrant[], at: Instant, drawn: ReadonlyMap<string, number>): number {
  const own = grants.filter((grant) => grant.currency === rule.currency && sameScope(grant.scope, rule.scope) && isAvailable(grant, at));
  return sum(own.map(({ id, remaining }) => remaining - (drawn.get(id) ?? 0)));
}

/** The calendar month, "2027-03". */
export const monthOf = (at: Instant, zone: string): string => localDate(at, zone).slice(0, 'yyyy-mm'.length);

/**
 * Which purchase is due; null: none is, as there is enough, the last one was declined, or the month has had its number. As long as one waits for its payment it is the one that is due: whoever has lost it takes it up
 * again.
 */
export function findLowCredit(
  { topUps = [], ...snapshot }: Pick<BillingSnapshot, 'topUps' | 'account' | 'customer'>,
  grants: readonly CreditGrant[],
  at: Instant,
  drawn: ReadonlyMap<string, number> = new Map(),
): LowCredit | null {
  const month = monthOf(at, zoneOf(snapshot));
  const mayBuy = ({ pendingInvoiceId, maxPerMonth, ...rule }: CreditTopUp): boolean =>
    pendingInvoiceId !== null || maxPerMonth === null || rule.month !== month || rule.monthCount < maxPerMonth;
  const due = topUps.find(
    (rule) =>
      rule.active &&
      rule.suspendedAt === null &&
      (snapshot.customer.currency ?? rule.currency) === rule.currency &&
      mayBuy(rule) &&
      availableTo(rule, grants, at, drawn) < rule.threshold,
  );
  return due === undefined ? null : { topUpId: due.id, number: due.pendingInvoiceId === null ? due.count + 1 : due.count };
}
