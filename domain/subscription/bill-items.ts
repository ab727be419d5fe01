import { Refusal } from '../errors.ts';
import { type DecisionDraft, shrinkCoverage } from '../invoicing/draft-decision.ts';
import type { Period } from '../invoicing/invoice.ts';
import { type DueItem, type SettleInput, type Settlement, settle } from '../invoicing/settle.ts';
import { taxRatesFor } from '../tax/apply-tax-rates.ts';
import type { Instant } from '../time.ts';
import type { BilledPeriod, Subscription, SubscriptionItem } from './subscription.ts';

/** The subscription a decision is about. @throws Refusal resource_missing */
export function subscriptionOf(draft: Pick<DecisionDraft, 'subscription'>): Subscription {
  if (!draft.subscription) throw new Refusal('resource_missing', 'No such subscription.', 'subscription');
  return draft.subscription;
}

/** The items as they are due over [from, to) of the full cycle; `to` is cut where the subscription ends earlier, and time on trial is never due. */
export function dueItems(draft: DecisionDraft, items: readonly SubscriptionItem[], start: Instant, cycle: Period): DueItem[] {
  const { account, customer } = draft.snapshot;
  const { cancelAt, defaultTaxRateIds, trialEnd } = subscriptionOf(draft);
  const from = Math.max(start, trialEnd ?? start);
  const to = Math.max(from, Math.min(cycle.end, cancelAt ?? cycle.end));
  return items.map((item) => ({
    itemId: item.id,
    priceId: item.priceId,
    quantity: item.quantity,
    taxRateIds: taxRatesFor(item.taxRateIds, defaultTaxRateIds, customer.defaultTaxRateIds, account.defaultTaxRateIds),
    from,
    to,
    cycleStart: cycle.start,
    cycleEnd: cycle.end,
  }));
}

/** `settle` on the account's proration basis and in the subscription's zone. */
export function settleItems(
  draft: DecisionDraft,
  input: Pick<SettleInput, 'due' | 'billed' | 'at' | 'unused' | 'charge' | 'onlyEndMoves'>,
): Settlement {
  const { account, prices, products } = draft.snapshot;
  const { billingTimezone: zone, currency } = subscriptionOf(draft);
  return settle({ ...input, terms: { basis: account.prorationBasis, zone }, currency, prices, products, newId: draft.newId });
}

/** What is covered from now on: shrunk rows first, then what moved without a line and what the lines pay for. */
export function recordCoverage(draft: DecisionDraft, settlement: Settlement, covered: BilledPeriod[]): void {
  shrinkCoverage(draft, settlement.shrinks);
  draft.decision.billed.insert.push(...settlement.carried, ...covered);
}
