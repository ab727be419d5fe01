import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Price } from '../../domain/catalog/price.ts';
import { exactToString, isZero } from '../../domain/money.ts';
import { prorateCharge } from '../../domain/rating/prorate.ts';
import { ratePrice } from '../../domain/rating/rate-price.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { aPriceOf, tiered } from '../support/price-models.ts';
import { changeItem, createPaid } from '../support/subscribe.ts';

/** Up to 12 decimals, zero or more. */
const amount = fc
  .tuple(fc.nat(100_000), fc.option(fc.integer({ min: 1, max: 999_999 })))
  .map(([whole, part]) => (part === null ? `${whole}` : `${whole}.${part}`));
const whole = fc.nat(100_000).map(String);
const tiers = (flat: boolean, unit = amount) =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 40 }), unit, flat ? fc.option(unit) : fc.constant(null)), { minLength: 1, maxLength: 5 })
    .map((widths) => {
      let upTo = 0;
      return widths.map(([width, unit, fixed], index) => {
        upTo += width;
        return [index === widths.length - 1 ? null : upTo, unit, fixed] as const;
      });
    });
const mode = fc.constantFrom('graduated', 'volume');
const quantity = fc.nat(250).map(String);
const total = (price: Price, units: string | number): number => Number(ratePrice(price, String(units)).total);

test('graduated: more units never cost less, with or without flat amounts', () => {
  fc.assert(
    fc.property(tiers(true), fc.nat(250), fc.nat(20), (given, units, more) => {
      const price = aPriceOf('0', tiered('graduated', given));
      expect(total(price, units + more)).toBeGreaterThanOrEqual(total(price, units));
    }),
  );
});

test('graduated without flat amounts is continuous: at an edge a sliver more costs a sliver more', () => {
  fc.assert(
    fc.property(tiers(false), (given) => {
      const price = aPriceOf('0', tiered('graduated', given));
      for (const { upTo } of price.tiers ?? []) {
        if (upTo === null) continue;
        expect(total(price, `${upTo}.000000000001`) - total(price, upTo)).toBeLessThan(1e-6);
      }
    }),
  );
});

test('the tiers sum to the line, whole or prorated, and each is within one of its exact amount', () => {
  const cycle = { start: on('2025-01-01'), end: on('2025-02-01') };
  fc.assert(
    fc.property(mode, tiers(true), quantity, fc.nat(30), (tiersMode, given, units, day) => {
      const price = aPriceOf('0', tiered(tiersMode, given));
      const charge = prorateCharge(price, units, { start: cycle.start + day * 86_400, end: cycle.end }, cycle, {
        basis: 'day',
        zone: 'UTC',
      });
      expect(charge.tiers?.reduce((sum, tier) => sum + tier.amount, 0)).toBe(charge.amount);
      const share = charge.fraction ? charge.fraction.numerator / charge.fraction.denominator : 1;
      const exacts = ratePrice(price, units).tiers?.map((tier) => Number(tier.total) * share) ?? [];
      const apart = charge.tiers?.map((tier, index) => Math.abs(tier.amount - (exacts[index] ?? 0))) ?? [];
      expect(Math.max(...apart)).toBeLessThanOrEqual(1.000001);
    }),
  );
});

test('packages: up is never less than down, and they differ by one at most', () => {
  fc.assert(
    fc.property(fc.nat(5_000), fc.integer({ min: 1, max: 300 }), (units, divideBy) => {
      const packages = (round: 'up' | 'down') =>
        Number(ratePrice(aPriceOf('1', { transformQuantity: { divideBy, round } }), String(units)).packages);
      expect(packages('up') - packages('down')).toBe(units % divideBy === 0 ? 0 : 1);
    }),
  );
});

test('a single tier without end is a price per unit', () => {
  fc.assert(
    fc.property(mode, amount, quantity, (tiersMode, unit, units) => {
      const one = ratePrice(aPriceOf('0', tiered(tiersMode, [[null, unit]])), units).total;
      expect(exactToString(one)).toBe(exactToString(ratePrice(aPriceOf(unit), units).total));
    }),
  );
});

test.each([
  ['whole minor units: to nothing', whole, 0],
  ['fractions of them: to one at most, as what was billed is what is given back', amount, 1],
] as const)('up and back at one instant nets, in %s', (_, unit, most) => {
  fc.assert(
    fc.property(
      mode,
      tiers(true, unit),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 30 }),
      (tiersMode, given, before, after, day) => {
        const book = new MemoryBook();
        book.price('p', '0', 'month', tiered(tiersMode, given));
        // What was free begins a new period once it costs something, and bills it whole.
        const isFree = (units: number): boolean => isZero(ratePrice(aPriceOf('0', tiered(tiersMode, given)), String(units)).total);
        fc.pre(isFree(before) === isFree(after));
        createPaid(book, on('2025-01-01'), ['p']);
        const at = on('2025-01-01') + day * 86_400;
        changeItem(book, on('2025-01-01'), 'si_p', { quantity: String(before) }, { prorationBehavior: 'always_invoice' });
        const first = book.allInvoices.length;
        const [up, back] = [after, before].map((units) => {
          changeItem(book, at, 'si_p', { quantity: String(units) }, { prorationBehavior: 'always_invoice' });
          return book.allInvoices.length > first ? book.lastInvoice.total : 0;
        });
        expect(Math.abs((up ?? 0) + (before === after ? 0 : (back ?? 0)))).toBeLessThanOrEqual(most);
      },
    ),
    { numRuns: 60 },
  );
});
