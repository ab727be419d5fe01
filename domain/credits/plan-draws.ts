import type { Price } from '../catalog/price.ts';
import { netOf } from '../discounts/apply-discounts.ts';
import type { InvoiceLine } from '../invoicing/invoice.ts';
import { sum } from '../money.ts';
import type { Instant } from '../time.ts';
import { type CreditGrant, inDrawingOrder, isDrawable, paysFor } from './grant.ts';

export interface DrawRequest {
  lines: readonly InvoiceLine[];
  currency: string;
  /** No more than this in all: what is left to pay of the invoice before the customer's balance. */
  most: number;
  prices: Record<string, Price>;
  at: Instant;
}

/** A line's amount after discounts and with exclusive taxes: what it adds to the total. */
const grossOf = (line: InvoiceLine): number =>
  sum([netOf(line), ...line.taxes.filter(({ inclusive }) => !inclusive).map(({ amount }) => amount)]);

/**
 * Which grant pays how much of which line: grant by grant in their order, line by line in the order of the invoice. A grant pays at most what the lines it is for come to
 * together (one that gives money back counts against the others), and all of them at most `most`. Minor units, all positive; nothing is rounded.
 */
export function planDraws(grants: readonly CreditGrant[], request: DrawRequest): { grant: CreditGrant; lineId: string; amount: number }[] {
  const left = new Map(request.lines.map((line) => [line.id, grossOf(line)]));
  let most = request.most;
  const usable = grants.filter((grant) => grant.currency === request.currency);
  return inDrawingOrder(usable).flatMap((grant) => {
    const lines = request.lines.filter(
      (line) => line.priceId !== null && isDrawable(grant, line, request.at) && paysFor(grant, request.prices[line.priceId]),
    );
    const owed = sum(lines.map(({ id }) => left.get(id) ?? 0));
    let drawn = Math.max(0, Math.min(grant.remaining, most, owed));
    most = sum([most, -drawn]);
    return lines.flatMap(({ id: lineId }) => {
      const ofLine = left.get(lineId) ?? 0;
      const amount = Math.min(drawn, ofLine);
      if (amount <= 0) return [];
      left.set(lineId, sum([ofLine, -amount]));
      drawn = sum([drawn, -amount]);
      return [{ grant, lineId, amount }];
    });
  });
}
