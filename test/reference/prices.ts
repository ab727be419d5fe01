import type { Cycle } from './calendar.ts';
import { decimal, type Fraction, plus, times, whole } from './fraction.ts';

interface Tier {
  upTo: number | null;
  unit: string;
  flat: string;
}

/** A price of the catalogue that lives are made of; amounts in minor units. */
export interface ListedPrice extends Cycle {
  id: string;
  /** Bills what is used, when its period is over. */
  metered?: true;
  cost:
    | { model: 'per_unit'; unit: string }
    | { model: 'package'; unit: string; size: number; round: 'up' | 'down' }
    | { model: 'graduated' | 'volume'; tiers: Tier[] };
}

const perUnit = (id: string, unit: string, months: number): ListedPrice => ({ id, months, cost: { model: 'per_unit', unit } });

export const PRICE_LIST: readonly ListedPrice[] = [
  perUnit('basic', '1999', 1),
  perUnit('pro', '4950', 1),
  perUnit('third', '333.3333', 1),
  perUnit('support', '9000', 3),
  perUnit('platform', '49900', 12),
  perUnit('platform-plus', '99900', 12),
  { id: 'tens', months: 1, cost: { model: 'package', unit: '2500', size: 10, round: 'up' } },
  { id: 'fives-down', months: 3, cost: { model: 'package', unit: '1111.11', size: 5, round: 'down' } },
  {
    id: 'graduated',
    months: 1,
    cost: {
      model: 'graduated',
      tiers: [
        { upTo: 5, unit: '1000', flat: '0' },
        { upTo: 20, unit: '800', flat: '500' },
        { upTo: null, unit: '500.5', flat: '0' },
      ],
    },
  },
  {
    id: 'volume',
    months: 1,
    cost: {
      model: 'volume',
      tiers: [
        { upTo: 10, unit: '1200', flat: '0' },
        { upTo: null, unit: '900', flat: '99' },
      ],
    },
  },
  {
    id: 'stairs',
    months: 12,
    cost: {
      model: 'volume',
      tiers: [
        { upTo: 5, unit: '0', flat: '50000' },
        { upTo: 25, unit: '0', flat: '200000' },
        { upTo: null, unit: '0', flat: '500000' },
      ],
    },
  },
];

/** What is used beside a plan. */
export const METERED_LIST: readonly ListedPrice[] = [
  { ...perUnit('calls', '3.5', 1), metered: true },
  {
    id: 'tiered-calls',
    months: 1,
    metered: true,
    cost: {
      model: 'graduated',
      tiers: [
        { upTo: 100, unit: '0', flat: '0' },
        { upTo: 300, unit: '7.25', flat: '100' },
        { upTo: null, unit: '1.111', flat: '0' },
      ],
    },
  },
  {
    id: 'volume-calls',
    months: 1,
    metered: true,
    cost: {
      model: 'volume',
      tiers: [
        { upTo: 350, unit: '9', flat: '0' },
        { upTo: null, unit: '1.5', flat: '100' },
      ],
    },
  },
];

export function priced(id: string): ListedPrice {
  const found = [...PRICE_LIST, ...METERED_LIST].find((price) => price.id === id);
  if (!found) throw new Error(`the price list has no ${id}`);
  return found;
}

/** What so many units cost for one cycle, exact. */
export function costOf({ cost }: ListedPrice, quantity: number): Fraction {
  if (cost.model === 'per_unit') return times(decimal(cost.unit), whole(quantity));
  if (cost.model === 'package') {
    const begun = cost.round === 'up' ? Math.ceil(quantity / cost.size) : Math.floor(quantity / cost.size);
    return times(decimal(cost.unit), whole(begun));
  }
  if (cost.model === 'volume') {
    const tier = cost.tiers.find(({ upTo }) => upTo === null || quantity <= upTo);
    return tier ? plus(times(decimal(tier.unit), whole(quantity)), decimal(tier.flat)) : whole(0);
  }
  // Unit by unit, as somebody would count who had never heard of formulas.
  let sum = decimal(cost.tiers[0]?.flat ?? '0');
  let from = 0;
  cost.tiers.forEach(({ upTo, unit, flat }, index) => {
    const until = Math.min(quantity, upTo ?? quantity);
    if (index > 0 && quantity > from) sum = plus(sum, decimal(flat));
    for (let n = from; n < until; n += 1) sum = plus(sum, decimal(unit));
    from = upTo ?? quantity;
  });
  return sum;
}
