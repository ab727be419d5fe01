import { monthsLater } from './calendar.ts';
import type { Act, Item, Life, Proration } from './life.ts';
import { METERED_LIST, PRICE_LIST, priced } from './prices.ts';

const DAY = 86_400;
const NAMES = ['a', 'b', 'c'] as const;

/** Mulberry32: the same numbers for the same seed, everywhere. */
export function dice(seed: number): (sides: number) => number {
  let state = seed >>> 0;
  return (sides) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

/** The instants of a year at which somebody may do something: shared by all who live on one clock, some of them at a month's end. */
export function makeInstants(seed: number, start: number): number[] {
  const roll = dice(seed);
  return Array.from({ length: 12 }, (_, month) => {
    const first = monthsLater(start, month);
    return first + (roll(4) === 0 ? 0 : roll(27 * DAY));
  }).sort((a, b) => a - b);
}

/** A subscription-year: when it begins, what it is made of, and what is done to it. */
export function makeLife(seed: number, instants: readonly number[], given: { first?: number; isMetered?: boolean } = {}): Life {
  const roll = dice(seed);
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)] as T;
  const item = (name: string, taken: readonly Item[]): Item => {
    const free = PRICE_LIST.filter(({ id }) => !taken.some(({ price }) => price === id));
    return { name, price: pick(free).id, quantity: 5 + roll(26) };
  };
  const plan = (): Item[] => {
    const items: Item[] = [];
    for (const name of NAMES.slice(0, 1 + roll(3))) items.push(item(name, items));
    return items;
  };
  const another = (items: readonly Item[]): Item[] => {
    const what = roll(5);
    if (what === 0) return plan();
    if (what === 1 && items.length > 1) return items.slice(1);
    const missing = NAMES.find((name) => !items.some((present) => present.name === name));
    if (what === 2 && missing !== undefined) return [...items, item(missing, items)];
    const changed = pick(items);
    const rest = items.filter((present) => present !== changed);
    const next = what === 3 ? item(changed.name, items) : { ...changed, quantity: 5 + roll(26) };
    return items.map((present) => (present === changed ? next : (rest.find(({ name }) => name === present.name) ?? present)));
  };

  const first = given.first ?? roll(4);
  const begins = instants[first] ?? 0;
  const used: Item[] = given.isMetered !== false && roll(2) === 0 ? [{ name: 'u', price: pick(METERED_LIST).id, quantity: 1 }] : [];
  const coupon = roll(3) === 0 ? { percent: pick(['10', '25', '33.3', '100']), months: roll(2) === 0 ? null : 1 + roll(6) } : null;
  let items = plan();
  const withUsed = (plan: readonly Item[]): Item[] => [...plan, ...used];
  const trialDays = roll(4) === 0 ? 3 + roll(40) : undefined;
  const shortest = Math.min(...withUsed(items).map(({ price }) => priced(price).months));
  const latest = monthsLater(begins, shortest) - begins;
  const anchor = trialDays === undefined && roll(3) === 0 ? begins + 1 + roll(latest) : undefined;
  const acts: Life['acts'] = [
    {
      at: begins,
      act: {
        do: 'subscribe',
        items: withUsed(items),
        ...(anchor === undefined ? {} : { anchor }),
        ...(trialDays === undefined ? {} : { trialDays }),
      },
    },
  ];
  const trialEnd = begins + (trialDays ?? 0) * DAY;
  let paused = false;
  /** Until then something waits for the period's end, which another act would get in the way of. */
  let waits = 0;
  for (const at of instants.slice(first + 1)) {
    if (at <= begins) continue;
    if (roll(5) < 2) {
      if (used.length === 0) continue;
      const units = Array.from({ length: 1 + roll(3) }, () => roll(300));
      // Of the last five weeks, the oldest that is accepted.
      const ago = roll(3) === 0 ? roll(34 * DAY) : undefined;
      acts.push({ at, act: { do: 'use', units, ...(ago === undefined ? {} : { ago }) } });
      continue;
    }
    const act = ((): Act | null => {
      if (paused) return { do: 'resume' };
      const what = roll(20);
      if (what === 0) return { do: 'cancel', prorate: roll(2) === 0, invoiceNow: roll(2) === 0 };
      if (at < waits) return null;
      if (what === 1) return { do: 'cancel at period end' };
      if (what <= 3 && at > trialEnd) return { do: 'pause' };
      const next = another(items);
      if (JSON.stringify(next) === JSON.stringify(items)) return null;
      const isMonthly = [...items, ...next].every(({ price }) => priced(price).months === 1);
      if (what <= 6 && isMonthly && at > trialEnd) {
        waits = at + 32 * DAY;
        items = next;
        return { do: 'change at period end', items: withUsed(items) };
      }
      items = next;
      return { do: 'change', items: withUsed(items), proration: pick<Proration>(['create_prorations', 'always_invoice', 'none']) };
    })();
    if (act === null) continue;
    acts.push({ at, act });
    paused = act.do === 'pause';
    if (act.do === 'cancel' || act.do === 'cancel at period end') break;
  }
  const threshold = used.length > 0 && roll(2) === 0 ? { amount: pick([500, 1500, 4000]), resets: roll(3) === 0 } : null;
  return { tax: roll(2) === 0 ? 20 : null, coupon, threshold, late: roll(2) === 0 ? 'next_invoice' : 'rerate', acts };
}

/**
 * Two or three subscription-years of one customer. Some begin together, some a few hours later, so that many of their periods end on one day. Usage is a customer's, so one of them alone measures it.
 */
export function makeHousehold(seed: number, instants: readonly number[]): Life[] {
  const roll = dice(seed ^ 0x5eed);
  const first = roll(2);
  return Array.from({ length: 2 + roll(2) }, (_, place): Life => {
    const life = makeLife(seed * 3 + place, instants, { first: roll(3) === 0 ? first + 1 : first, isMetered: place === 0 });
    const [begin, ...rest] = life.acts;
    if (place === 0 || begin?.act.do !== 'subscribe' || roll(2) === 0) return life;
    const anchor = begin.at + (1 + roll(5)) * 3600;
    return { ...life, acts: [{ at: begin.at, act: { do: 'subscribe', items: begin.act.items, anchor } }, ...rest] };
  });
}
