import { part, round, whole } from './fraction.ts';
import type { Item, Line } from './life.ts';
import { costOf, priced } from './prices.ts';

/** Usage that was billed: from, and until before when, with what it was then. */
interface Measured {
  price: string;
  from: number;
  until: number;
  quantity: number;
  amount: number;
  /** The same less the coupon: what giving it back is worth. */
  net: number;
  /** Billed early, and not over. */
  runsOn: boolean;
}

/** A line for usage, and what it makes of what was billed before. */
interface UsageLine {
  line: Line;
  before: Measured | null;
  after: Measured;
  /** It is worth nothing, and no line. */
  isSilent?: boolean;
}

/** What is to be paid besides what was; what is given back is given back at what was paid for it. */
function moreBy(amount: number, before: Measured | null): number {
  if (before === null) return amount;
  const more = amount - before.amount;
  return more >= 0 || before.amount === 0 ? more : -round(part(whole(-more), before.net, before.amount));
}

/** What one subscription has used, and what of it was billed. */
export class Usage {
  /** Since when it is not billed yet. */
  measuredFrom = 0;
  #used: { at: number; units: number }[] = [];
  #measured: Measured[] = [];

  report(at: number, units: readonly number[]): void {
    this.#used.push(...units.map((each) => ({ at, units: each })));
  }

  /**
   * What was used since it was billed last, in arrears: all before `end`, on a line until `until`. Of what was billed early, what it has become more since.
   */
  since(items: readonly Item[], until: number, end: number, runsOn: boolean): UsageLine[] {
    return items.flatMap(({ price: id }): UsageLine[] => {
      const price = priced(id);
      if (!price.metered) return [];
      const before = this.#measured.find((stretch) => stretch.runsOn) ?? null;
      const from = before?.from ?? this.measuredFrom;
      if (from >= until) return [];
      const quantity = this.#unitsIn(from, end);
      const amount = round(costOf(price, quantity));
      const line = {
        price: id,
        quantity: quantity - (before?.quantity ?? 0),
        start: from,
        end: until,
        amount: moreBy(amount, before),
        off: 0,
      };
      return [{ line, before, after: { price: id, from, until: end, quantity, amount, net: before?.net ?? 0, runsOn } }];
    });
  }

  /** The last of it, with the second in which it ends; nobody is billed for having used nothing. */
  last(items: readonly Item[], at: number): Line[] {
    return this.write(this.since(items, at, at + 1, false)).filter(({ amount }) => amount !== 0);
  }

  /** What was reported late of usage that is billed and over: what it has become more. */
  late(): UsageLine[] {
    return this.#measured.flatMap((before): UsageLine[] => {
      if (before.runsOn) return [];
      const quantity = this.#unitsIn(before.from, before.until);
      const amount = round(costOf(priced(before.price), quantity));
      if (amount === before.amount) return [];
      const line = { price: before.price, quantity: 0, start: before.from, end: before.until, amount: moreBy(amount, before), off: 0 };
      return [{ line, before, after: { ...before, quantity, amount }, isSilent: line.amount === 0 }];
    });
  }

  /** Billed now. */
  write(lines: readonly UsageLine[]): Line[] {
    for (const { before, after } of lines) this.#measured = [...this.#measured.filter((stretch) => stretch !== before), after];
    this.#measured.sort((a, b) => a.from - b.from);
    return lines.flatMap(({ line, isSilent }) => (isSilent === true ? [] : [line]));
  }

  /** What was billed, with what the coupon has taken off it. */
  pay(lines: readonly Line[]): void {
    for (const { price, start, amount, off } of lines) {
      const stretch = this.#measured.find(({ from }) => priced(price).metered === true && from === start);
      if (stretch) stretch.net += amount - off;
    }
  }

  #unitsIn(from: number, end: number): number {
    return this.#used.filter(({ at }) => at >= from && at < end).reduce((sum, { units }) => sum + units, 0);
  }
}
