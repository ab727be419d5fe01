import type { Metadata, Price } from '../catalog/price.ts';
import type { InvoiceLine } from '../invoicing/invoice.ts';
import type { Instant } from '../time.ts';

/** What a grant pays for: everything of a kind of recurring price, or the prices of a list. */
export type CreditScope = { priceType: 'metered' | 'licensed' } | { priceIds: string[] };

/** What of a period's credit that is left at its end goes on for another one. */
export interface Rollover {
  /** Of what is left, a decimal string above 0 and up to 100; rounded down to the minor unit. */
  percent: string;
  /** No more than this is carried over by all grants of one subscription item together, minor units; null: whatever is left. */
  maxAmount: number | null;
  /** How often the same credit is carried over at most; null: again and again. */
  maxPeriods: number | null;
}

/** Credit that a price gives for each of its periods. */
export interface RecurringCredit {
  name: string | null;
  category: 'paid' | 'promotional';
  /** For each unit of a licensed price, for the period of a metered one; minor units of the price's currency. */
  amount: number;
  scope: CreditScope;
  priority: number;
  /** null: what is left at the period's end is lost. */
  rollover: Rollover | null;
}

/** Where a grant that a price gives for a period comes from. */
export interface RecurringOrigin {
  subscriptionId: string;
  itemId: string;
  priceId: string;
  /** As the price had it. */
  rollover: Rollover | null;
  periodsRolledOver: number;
}

/** Credit that a customer holds for what is billed later. `paid`: bought before, so it is owed to the customer. `promotional`: given away. */
export interface CreditGrant {
  id: string;
  customerId: string;
  name: string | null;
  category: 'paid' | 'promotional';
  /** Minor units of `currency`, as it was granted. */
  amount: number;
  /** What is left of it. */
  remaining: number;
  currency: string;
  scope: CreditScope;
  /** 0 to 100; the lowest is drawn first. */
  priority: number;
  effectiveAt: Instant;
  /** From then on nothing of it can be drawn; null: it never expires. */
  expiresAt: Instant | null;
  voidedAt: Instant | null;
  /** Of one that a price gives for a period; null or absent: it was granted by hand. It ends with its period, and is settled when that is billed (`recur.ts`). */
  recurring?: RecurringOrigin | null;
  metadata: Metadata;
  createdAt: Instant;
  updatedAt: Instant;
}

/** One movement of a grant; `amount` positive adds to what is left of it. */
export interface CreditTransaction {
  id: string;
  grantId: string;
  customerId: string;
  type: 'credits_granted' | 'credits_applied' | 'credits_application_invoice_voided' | 'credits_expired' | 'credits_voided';
  amount: number;
  currency: string;
  invoiceId: string | null;
  invoiceLineId: string | null;
  /** When it counts: later than it was written for a grant that begins later, earlier for one whose expiry was noticed later. */
  effectiveAt: Instant;
  createdAt: Instant;
}

/** What a grant has paid of a line of a finalised invoice, minor units. */
export interface CreditDraw {
  transactionId: string;
  grantId: string;
  category: CreditGrant['category'];
  invoiceLineId: string;
  amount: number;
}

export const hasExpired = ({ expiresAt }: CreditGrant, at: Instant): boolean => expiresAt !== null && expiresAt <= at;

/** Whether something of it could be drawn then. */
export const isAvailable = (grant: CreditGrant, at: Instant): boolean =>
  grant.remaining > 0 && grant.voidedAt === null && grant.effectiveAt <= at && !hasExpired(grant, at);

/**
 * Whether something of it could be drawn then for a line. What a price gives for a period pays for what belongs to that time, whenever it is billed: usage of its period after the period is over, and nothing of the one
 * before.
 */
export const isDrawable = (grant: CreditGrant, { period }: Pick<InvoiceLine, 'period'>, at: Instant): boolean => {
  if (grant.recurring == null || grant.expiresAt === null) return isAvailable(grant, at);
  const overlaps = period.start < grant.expiresAt && (period.end > grant.effectiveAt || period.start >= grant.effectiveAt);
  return grant.remaining > 0 && grant.voidedAt === null && grant.effectiveAt <= at && overlaps;
};

/** Whether it pays for what a price bills. */
export const paysFor = ({ scope }: Pick<CreditGrant, 'scope'>, price: Pick<Price, 'id' | 'recurring'> | undefined): boolean =>
  price !== undefined && ('priceIds' in scope ? scope.priceIds.includes(price.id) : price.recurring?.usageType === scope.priceType);

/**
 * The order in which grants are drawn, as at Stripe: by priority, then what expires soonest, then what was given away before what was paid for, then what began first,
 * then what was granted first. The id has the last word, so that the order never depends on how they were read.
 */
export const inDrawingOrder = (grants: readonly CreditGrant[]): CreditGrant[] =>
  [...grants].sort(
    (a, b) =>
      a.priority - b.priority ||
      compare(a.expiresAt ?? Number.POSITIVE_INFINITY, b.expiresAt ?? Number.POSITIVE_INFINITY) ||
      Number(a.category === 'paid') - Number(b.category === 'paid') ||
      a.effectiveAt - b.effectiveAt ||
      a.createdAt - b.createdAt ||
      compare(a.id, b.id),
  );

const compare = <T extends number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
