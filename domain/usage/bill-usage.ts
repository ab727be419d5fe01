import { findMetered } from '../catalog/find-price.ts';
import type { MeteredPrice } from '../catalog/price.ts';
import { priceIn } from '../catalog/price-in.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import {
  describeLateUsage,
  describeMoreUsage,
  describeUsage,
  explainLateUsage,
  explainMinimum,
  explainUsage,
} from '../invoicing/describe-usage.ts';
import type { DecisionDraft } from '../invoicing/draft-decision.ts';
import type { Period } from '../invoicing/invoice.ts';
import type { SettledLine } from '../invoicing/settle.ts';
import { compareDecimals, exact, exactToString, fractionOf, minus, sum } from '../money.ts';
import { chargeUsage } from '../rating/rate-percentage.ts';
import { roundLine } from '../rating/round-line.ts';
import { itemPeriodOf } from '../subscription/anchor.ts';
import type { Subscription, SubscriptionItem } from '../subscription/subscription.ts';
import { taxRatesFor } from '../tax/apply-tax-rates.ts';
import type { Instant } from '../time.ts';
import { bounded, capped, commitmentOf } from './commit-usage.ts';
import { NO_USAGE, quantityOf, quantitySoFar, type UsageTotals } from './measure.ts';
import type { Meter } from './meter.ts';
import { EARLIEST_EVENT } from './meter-event.ts';
import { runningStretch, usageStart } from './plan-readings.ts';
import { type MeteredUsage, readingKey, type UsagePeriod } from './usage-period.ts';

/** The stretches of a decision's own making stand beside those that were read, or in their place. */
const periodsOf = ({ snapshot, decision: { usage } }: DecisionDraft): UsagePeriod[] => {
  const changed = new Set(usage.change.map(({ id }) => id));
  return [...(snapshot.usage?.periods ?? []).filter(({ id }) => !changed.has(id)), ...usage.change, ...usage.insert];
};

/** Up to where usage is billed, and up to where its events count. */
interface Extent {
  until: Instant;
  end: Instant;
  /** It is billed early: the stretch is not over. */
  runsOn?: true;
}

/**
 * Bills what the metered items have used up to `until` and is not billed yet: a line per item, in arrears, the whole stretch rated at once (tiers begin anew with it). Of a stretch that was billed early the
 * line has what it is worth more by now. The line knows up to which event it has billed. Whoever puts the line on an invoice, or keeps it pending, records the stretch with it.
 */
export function billUsage(draft: DecisionDraft, items: readonly SubscriptionItem[], until: Instant): SettledLine[] {
  return billStretches(draft, items, { until, end: until });
}

/**
 * Bills the last of what is used before nothing is measured any more: the second `until` belongs to it. Nothing is invoiced for having used nothing, but late events may still come to it.
 */
export function billLastUsage(draft: DecisionDraft, items: readonly SubscriptionItem[], until: Instant): SettledLine[] {
  const lines = billStretches(draft, items, { until, end: until + 1 });
  const { insert, change } = draft.decision.usage;
  for (const { line, measures } of lines) if (line.amount === 0 && measures) (measures.late ? change : insert).push(measures.period);
  return lines.filter(({ line }) => line.amount !== 0);
}

/**
 * Bills what has been used by now, the second `now` with it, and lets the stretches run on: what comes to them until they end is rated together with it, so that tiers go on and the period costs what it
 * would have cost at once. A minimum is made up for at the end. Items that have used nothing more since they were billed last are not among the lines.
 */
export const billUsageSoFar = (draft: DecisionDraft, items: readonly SubscriptionItem[], now: Instant): SettledLine[] =>
  billStretches(draft, items, { until: now, end: now + 1, runsOn: true }).filter(({ line }) => line.amount !== 0);

function billStretches(draft: DecisionDraft, items: readonly SubscriptionItem[], extent: Extent): SettledLine[] {
  const { usage } = draft.snapshot;
  const { subscription } = draft;
  if (!usage || !subscription) return [];
  return items.flatMap((item): SettledLine[] => {
    const priced = meteredPrice(draft, usage, item.priceId);
    return priced === null ? [] : billStretch(draft, { usage, subscription, item, ...priced }, extent);
  });
}

type PricedUsage = NonNullable<ReturnType<typeof meteredPrice>> & {
  usage: MeteredUsage;
  subscription: Subscription;
  item: SubscriptionItem;
};

function billStretch(
  draft: DecisionDraft,
  { usage, subscription, item, price, product, meter }: PricedUsage,
  { until, end, runsOn }: Extent,
): SettledLine[] {
  const { account, customer } = draft.snapshot;
  const periods = periodsOf(draft);
  const running = runningStretch(subscription, item, periods);
  const period = { start: usageStart(subscription, item, periods), end };
  if (period.start >= until) return [];
  const totals = readingOf(usage, price, period);
  const stretch = { start: period.start, end: until };
  const whole = runsOn ? { start: period.start, end: Math.max(end, itemPeriodOf(subscription, price.recurring).end) } : stretch;
  const quantity = quantitySoFar(meter.formula, quantityOf(meter.formula, totals, period), { ...whole, now: until });
  const terms = { basis: account.prorationBasis, zone: subscription.billingTimezone };
  const { maximum, ...commitment } = commitmentOf(price, whole, draft.snapshot.subscription ?? subscription, terms);
  const minimum = runsOn ? null : commitment.minimum;
  const charge = capped(chargeUsage(price, quantity, totals), maximum, price.currency);
  const missing = Math.max(0, (minimum ?? 0) - charge.amount);
  const amount = running === null ? charge.amount : givenBackNet(sum([charge.amount, -running.amount]), running);
  const ownRates = taxRatesFor(item.taxRateIds, subscription.defaultTaxRateIds, customer.defaultTaxRateIds, account.defaultTaxRateIds);
  const taxRateIds = running !== null && amount < 0 ? running.taxRateIds : ownRates;
  const measured = { meter, events: totals.count, quantity, period, watermark: usage.watermark, zone: subscription.billingTimezone };
  const begun = running === null ? newStretch(draft, item, item.priceId, period.start, ownRates) : withoutMark(running);
  const { runsOn: _, ...known } = begun;
  const usagePeriod: UsagePeriod = {
    ...known,
    end,
    quantity,
    amount: sum([charge.amount, missing]),
    watermark: usage.watermark,
    minimum,
    maximum,
    runsOn: runsOn ?? false,
  };
  const measures = { late: running !== null, period: usagePeriod };
  const difference = running === null ? quantity : exactToString(minus(exact(quantity), exact(running.quantity)));
  const used: SettledLine = {
    line: {
      ...lineOf(price, item.id, compareDecimals(difference, '0') < 0 ? null : difference, stretch),
      description: running === null ? describeUsage(product, price, quantity) : describeMoreUsage(product, price, difference),
      amount,
      explanation:
        running === null
          ? explainUsage(product, price, measured, charge)
          : explainLateUsage(product, price, measured, charge, running, amount, 'usage'),
    },
    taxRateIds,
    covers: null,
    measures,
  };
  if (missing === 0) return [used];
  const committed: SettledLine = {
    line: {
      ...lineOf(price, item.id, null, stretch),
      description: `Minimum commitment for ${product.name}`,
      amount: missing,
      explanation: explainMinimum(
        price,
        stretch,
        { minimum: usagePeriod.amount, used: charge.amount, missing, fraction: commitment.fraction },
        subscription.billingTimezone,
      ),
    },
    taxRateIds: ownRates,
    covers: null,
    measures,
  };
  return [used, committed];
}

/** What was read says besides whether something has come since. */
function withoutMark(period: UsagePeriod & { changed?: boolean }): UsagePeriod {
  const { changed: _, ...record } = period;
  return record;
}

/**
 * What has come to stretches after they were billed (late events, corrections, cancellations): each is rated anew as a whole, and the difference is a line that points at the one it corrects. Nothing has to be
 * asked twice: the record of the stretch says what it was last rated at.
 */
export function billLateUsage(draft: DecisionDraft): SettledLine[] {
  const { usage } = draft.snapshot;
  const { subscription } = draft;
  if (!usage || !subscription) return [];
  // What runs on is rated as a whole when it ends.
  const running = new Set(subscription.items.map((item) => runningStretch(subscription, item, usage.periods)?.id));
  return usage.periods.flatMap((period): SettledLine[] => {
    const priced = period.changed && !running.has(period.id) ? meteredPrice(draft, usage, period.priceId) : null;
    if (priced === null) return [];
    const { price, product, meter } = priced;
    const totals = readingOf(usage, price, period);
    const quantity = quantityOf(meter.formula, totals, period);
    const charge = bounded(chargeUsage(price, quantity, totals), period, price.currency);
    if (compareDecimals(quantity, period.quantity) === 0 && charge.amount === period.amount) return [];
    const changed = { ...withoutMark(period), quantity, amount: charge.amount, watermark: usage.watermark };
    const amount = givenBackNet(sum([charge.amount, -period.amount]), period);
    if (amount === 0) {
      draft.decision.usage.change.push(changed);
      return [];
    }
    const measured = { meter, events: totals.count, quantity, period, watermark: usage.watermark, zone: subscription.billingTimezone };
    const difference = exactToString(minus(exact(quantity), exact(period.quantity)));
    return [
      {
        line: {
          ...lineOf(price, period.subscriptionItemId, null, { start: period.start, end: period.end }),
          description: describeLateUsage(product, price, difference, period, subscription.billingTimezone),
          amount,
          explanation: explainLateUsage(product, price, measured, charge, period, amount),
        },
        taxRateIds: period.taxRateIds,
        covers: null,
        measures: { late: true, period: changed },
      },
    ];
  });
}

/** What is given back was billed net of discounts; what is charged is discounted with its invoice. */
const givenBackNet = (difference: number, { amount, net }: UsagePeriod): number =>
  difference >= 0 || amount <= 0 || net === amount ? difference : -roundLine(fractionOf(-difference, net, amount));

/**
 * What the items have used that go or get another price, billed at the price of its time. Items that become metered are so from now on. Where a new period begins (`all`), what was reported late comes along:
 * what began before a period is not looked at for long.
 */
export function billChangedUsage(
  draft: DecisionDraft,
  { before, after, all }: { before: readonly SubscriptionItem[]; after: readonly SubscriptionItem[]; all: boolean },
): SettledLine[] {
  const { prices } = draft.snapshot;
  const priceAfter = new Map(after.map((item) => [item.id, item.priceId]));
  const ended = before.filter((item) => all || priceAfter.get(item.id) !== item.priceId);
  const lines = [...(all ? billLateUsage(draft) : []), ...billUsage(draft, ended, draft.asOf)];
  const metered = (priceId: string): boolean => findMetered(prices, priceId) !== null;
  for (const item of before) {
    const next = priceAfter.get(item.id);
    if (next !== undefined && metered(next) && !metered(item.priceId)) {
      draft.decision.usage.insert.push(newStretch(draft, item, next, draft.asOf, item.taxRateIds));
    }
  }
  return lines;
}

const newStretch = (draft: DecisionDraft, { id }: SubscriptionItem, priceId: string, at: Instant, taxRateIds: string[]): UsagePeriod => ({
  id: draft.newId(ID_PREFIX.usagePeriod),
  subscriptionId: draft.subscription?.id ?? '',
  subscriptionItemId: id,
  priceId,
  start: at,
  end: at,
  quantity: '0',
  amount: 0,
  net: 0,
  watermark: 0,
  minimum: null,
  maximum: null,
  taxRateIds,
  runsOn: false,
  invoiceId: null,
  invoiceLineId: null,
  invoiceItemId: null,
});

/** The price in the currency that is billed, with its product and meter; null where it is not metered. @throws Refusal resource_missing */
function meteredPrice(draft: DecisionDraft, usage: MeteredUsage, priceId: string) {
  const { prices, products } = draft.snapshot;
  const found = findMetered(prices, priceId);
  if (found === null) return null;
  const price = priceIn(found, draft.subscription?.currency ?? found.currency) as MeteredPrice;
  const product = products[price.productId];
  const meter: Meter | undefined = usage.meters[price.recurring.meterId];
  if (!product || !meter) throw new Refusal('resource_missing', `No such price: '${priceId}'`);
  return { price, product, meter };
}

/** What is known of a stretch: of the future nothing, and of a stretch that reaches into it what there is by now. */
function readingOf(usage: MeteredUsage, { id, recurring }: MeteredPrice, { start, end }: Period): UsageTotals {
  const known = (until: Instant): UsageTotals | undefined => usage.readings[readingKey(recurring, { start, end: until })];
  const totals = known(end) ?? (start >= usage.asOf ? NO_USAGE : end > usage.asOf ? known(usage.asOf + EARLIEST_EVENT) : undefined);
  if (totals === undefined) throw new Error(`the usage of the price ${id} in [${start}, ${end}) was not read`);
  return totals;
}

const lineOf = (price: MeteredPrice, itemId: string, quantity: string | null, period: Period) => ({
  subscriptionItemId: itemId,
  priceId: price.id,
  productId: price.productId,
  quantity,
  unitAmountDecimal: price.unitAmountDecimal,
  currency: price.currency,
  period,
  proration: false,
  creditedInvoiceId: null,
  creditedLineId: null,
  metadata: {},
});
