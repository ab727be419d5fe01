import { cycleOf, findMetered } from '../catalog/find-price.ts';
import type { Price } from '../catalog/price.ts';
import { Refusal } from '../errors.ts';
import { type DecisionDraft, shrinkCoverage } from '../invoicing/draft-decision.ts';
import type { Period } from '../invoicing/invoice.ts';
import { type DueItem, type SettleInput, type Settlement, settle } from '../invoicing/settle.ts';
import { taxRatesFor } from '../tax/apply-tax-rates.ts';
import type { Instant } from '../time.ts';
import { itemCycleOf } from './anchor.ts';
import type { BilledPeriod, Subscription, SubscriptionItem } from './subscription.ts';

/** The subscription a decision is about. @throws Refusal resource_missing */
export function subscriptionOf(draft: Pick<DecisionDraft, 'subscription'>): Subscription {
  if (!draft.subscription) throw new Refusal('resource_missing', 'No such subscription.', 'subscription');
  return draft.subscription;
}

/**
 * The items that are billed in advance, as they are due from `start` to the end of the subscription's full cycle, or of their own where they bill by a longer one (`itemCycleOf`); cut where the
 * subscription ends earlier, and time on trial is never due. What is measured is billed afterwards (see `billUsage`).
 */
export function dueItems(draft: DecisionDraft, items: readonly SubscriptionItem[], start: Instant, cycle: Period): DueItem[] {
  const { account, customer, prices } = draft.snapshot;
  const subscription = subscriptionOf(draft);
  const { cancelAt, defaultTaxRateIds, trialEnd } = subscription;
  const from = Math.max(start, trialEnd ?? start);
  return items.flatMap((item): DueItem[] => {
    if (findMetered(prices, item.priceId) !== null) return [];
    const whole = itemCycleOf(subscription, cycleOf(prices, item, subscription.cycle), cycle);
    return [
      {
        itemId: item.id,
        priceId: item.priceId,
        quantity: item.quantity,
        taxRateIds: taxRatesFor(item.taxRateIds, defaultTaxRateIds, customer.defaultTaxRateIds, account.defaultTaxRateIds),
        ...componentRates(prices[item.priceId], (own) =>
          taxRatesFor(
            item.taxRateIds.length > 0 ? item.taxRateIds : own,
            defaultTaxRateIds,
            customer.defaultTaxRateIds,
            account.defaultTaxRateIds,
          ),
        ),
        from,
        to: Math.max(from, Math.min(whole.end, cancelAt ?? whole.end)),
        cycleStart: whole.start,
        cycleEnd: whole.end,
      },
    ];
  });
}

const componentRates = (price: Price | undefined, ratesFor: (own: readonly string[]) => string[]): Pick<DueItem, 'componentTaxRateIds'> =>
  price?.bundle ? { componentTaxRateIds: price.bundle.map(({ taxRateIds = [] }) => ratesFor(taxRateIds)) } : {};

/** `settle` on the account's proration basis and in the subscription's zone. */
export function settleItems(
  draft: DecisionDraft,
  input: Pick<SettleInput, 'due' | 'billed' | 'at' | 'unused' | 'charge' | 'onlyEndMoves' | 'endIsSettled' | 'carryUntil'>,
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
