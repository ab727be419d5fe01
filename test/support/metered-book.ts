import type { Price } from '../../domain/catalog/price.ts';
import { aMeter } from '../api/examples.ts';
import { MemoryBook, on } from './memory-book.ts';

/** Of a price that bills by the month what the meter `mtr_1` measures. */
export const METERED = { recurring: { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } } as const;

const tiered = (tiersMode: 'graduated' | 'volume'): Partial<Price> => ({
  ...METERED,
  unitAmountDecimal: null,
  billingScheme: 'tiered',
  tiersMode,
  tiers: [
    { upTo: '1000', unitAmountDecimal: '1', flatAmountDecimal: null },
    { upTo: null, unitAmountDecimal: '0.5', flatAmountDecimal: null },
  ],
});

/** A book with a fee (`base`) and prices of what is used: by the call, and in tiers. */
export function meteredBook(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.meters['mtr_1'] = aMeter();
  book.price('base', '5000');
  book.price('calls', '2', 'month', METERED);
  book.price('dear', '10', 'month', METERED);
  book.price('tiered', '0', 'month', tiered('graduated'));
  book.price('volume', '0', 'month', tiered('volume'));
  return book;
}

export const use = (book: MemoryBook, date: string, value: number): void => void book.used.push({ meterId: 'mtr_1', at: on(date), value });
