import type { MeteredPrice } from '../catalog/price.ts';
import type { Period } from '../invoicing/invoice.ts';
import { termsPerTransaction } from '../rating/rate-percentage.ts';
import type { Instant } from '../time.ts';
import type { UsageTotals } from './measure.ts';
import type { Meter } from './meter.ts';

/**
 * Usage of one item that has been billed: the record that proves no usage is billed twice. Its stretches never overlap. A stretch of no length says that the item is metered from there on. One that was
 * billed early, because a threshold was reached, runs on: the next line rates it anew as a whole, up to a later end, and bills what that is more.
 * `quantity`, `amount` and `watermark` are those of the last time it was looked at, corrections for late events included.
 */
export interface UsagePeriod extends Period {
  id: string;
  subscriptionId: string;
  subscriptionItemId: string;
  priceId: string;
  quantity: string;
  /** Billed for it in all, minor units. */
  amount: number;
  /** The same less discounts: what giving it back is worth. */
  net: number;
  /** The number of the account's last event or adjustment that is in it. */
  watermark: number;
  /** Billed up to `end` so far, and not over yet. Absent: it is over. */
  runsOn?: boolean;
  /** What the stretch costs at least and at most, minor units; null: no limit. */
  minimum: number | null;
  maximum: number | null;
  taxRateIds: string[];
  /** The line that billed it first: an invoice line when invoiced, else the pending invoice item. */
  invoiceId: string | null;
  invoiceLineId: string | null;
  invoiceItemId: string | null;
}

/** What is measured of a subscription, read for a decision at `asOf`. Absent from a snapshot where nothing of it is metered. */
export interface MeteredUsage {
  asOf: Instant;
  /** Those of its metered prices. */
  meters: Record<string, Meter>;
  /** Billed stretches to which late events may still come, oldest first. `changed`: something has come since the watermark. */
  periods: (UsagePeriod & { changed: boolean })[];
  /** By `readingKey`. */
  readings: Record<string, UsageTotals>;
  watermark: number;
}

/** Which events of which stretch, and by which terms they are rated one by one. */
export const readingKey = (recurring: MeteredPrice['recurring'], { start, end }: Period): string => {
  const groups = Object.entries(recurring.groups ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([recurring.meterId, groups, start, end, termsPerTransaction(recurring)]);
};
