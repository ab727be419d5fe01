import { type Cycle, monthsLater, periodAround } from './calendar.ts';
import { Cashier, type Payer } from './cashier.ts';
import { compare, decimal, minus, part, plus, round, roundDown, times, whole } from './fraction.ts';
import type { Act, Bill, Item, Life, Line, Proration } from './life.ts';
import { costOf, priced } from './prices.ts';
import { Usage } from './usage.ts';

/** Something that was billed, and what is left of it. */
interface Stretch extends Item {
  from: number;
  until: number;
  billedFrom: number;
  billedUntil: number;
  amount: number;
  credited: number;
}

/** What a life is billed until an instant, by the rules and nothing else. Everything that is due is paid at once. */
export function billLife(life: Life, until: number): Bill[] {
  const cashier = new Cashier();
  live([life], cashier, until);
  return cashier.bills;
}

/** What somebody is billed who has several subscriptions and wants one bill for all that renew on one day (UTC). Null where no rule says it in plain words. */
export function billHousehold(lives: readonly Life[], until: number): Bill[] | null {
  const cashier = new Cashier({ sharesRenewals: true });
  live(lives, cashier, until);
  return cashier.isUnclear ? null : cashier.bills;
}

/** Whatever happens, in the order of its time; at one instant periods end first, in the order in which the subscriptions began, and then somebody does something. */
function live(lives: readonly Life[], cashier: Cashier, until: number): void {
  const billers = lives.map((life) => new Biller(life, cashier));
  const pass = (at: number): void => {
    for (;;) {
      const next = Math.min(cashier.waitsUntil, ...billers.map((biller) => biller.endsAt()));
      if (next > at) return;
      const biller = billers.find((one) => one.endsAt() === next);
      if (biller) biller.pass(next);
      else cashier.stopWaiting(next);
    }
  };
  const acts = lives.flatMap((life, place) => life.acts.map(({ at, act }) => ({ at, act, place })));
  for (const { at, act, place } of acts.sort((a, b) => a.at - b.at || a.place - b.place)) {
    pass(at);
    billers[place]?.act(act, at);
  }
  pass(until);
}

class Biller implements Payer {
  readonly #cashier: Cashier;
  readonly #tax: number | null;
  readonly #coupon: Life['coupon'];
  readonly #threshold: Life['threshold'];
  readonly #late: Life['late'];
  #couponEnds = Number.POSITIVE_INFINITY;
  #status: 'none' | 'trialing' | 'active' | 'paused' | 'ended' = 'none';
  #items: Item[] = [];
  #anchor = 0;
  #periodEnd = 0;
  #endsWithPeriod = false;
  #later: Item[] | null = null;
  #stretches: Stretch[] = [];
  #pending: Line[] = [];
  readonly #usage = new Usage();

  constructor({ tax, coupon, threshold, late }: Life, cashier: Cashier) {
    this.#cashier = cashier;
    cashier.welcome(this);
    this.#tax = tax;
    this.#coupon = coupon;
    this.#threshold = threshold;
    this.#late = late;
  }

  /** When its period ends; never: infinity. */
  endsAt(): number {
    return this.#status === 'active' || this.#status === 'trialing' ? this.#periodEnd : Number.POSITIVE_INFINITY;
  }

  hasEnded(): boolean {
    return this.#status === 'ended';
  }

  renewsAt(): number | null {
    return this.endsAt() === Number.POSITIVE_INFINITY || this.#endsWithPeriod ? null : this.#periodEnd;
  }

  /** The period ends. */
  pass(at: number): void {
    if (this.#later) this.#changeAtTheEnd(this.#later, at);
    if (this.#endsWithPeriod) {
      const used = this.#status === 'trialing' ? [] : [...this.#usage.write(this.#usage.late()), ...this.#usage.last(this.#items, at)];
      this.#status = 'ended';
      this.#bill(at, 'subscription_cycle', this.#discount(used, at));
      return;
    }
    const used =
      this.#status === 'trialing' ? [] : this.#usage.write([...this.#usage.late(), ...this.#usage.since(this.#items, at, at, false)]);
    this.#usage.measuredFrom = at;
    this.#status = 'active';
    this.#enter(at);
    const lines = [...this.#pending, ...this.#giveBackStrangers(at), ...this.#charge(at, { used })];
    this.#pending = [];
    this.#usage.pay(lines);
    this.#cashier.renew(this, at, { tax: this.#tax, lines });
  }

  /** The current period is the one of the anchor that lies here. */
  #enter(at: number): void {
    this.#periodEnd = periodAround(this.#anchor, shortest(this.#items), at)[1];
  }

  act(act: Act, at: number): void {
    switch (act.do) {
      case 'subscribe':
        this.#subscribe(act, at);
        return;
      case 'change':
        this.#change(act.items, act.proration, at);
        return;
      case 'change at period end':
        this.#later = act.items;
        return;
      case 'cancel': {
        const free = this.#status === 'trialing' || this.#status === 'paused';
        const used = act.invoiceNow ? [...this.#usage.write(this.#usage.late()), ...(free ? [] : this.#usage.last(this.#items, at))] : [];
        const lines = [...this.#discount(used, at), ...(act.prorate ? this.#giveBack(() => true, at) : [])];
        this.#status = 'ended';
        if (act.prorate || act.invoiceNow) this.#bill(at, 'subscription_update', lines);
        this.#cashier.leave();
        return;
      }
      case 'cancel at period end':
        this.#endsWithPeriod = true;
        // What is billed beyond the end is given back.
        this.#pending.push(...this.#giveBack(() => true, this.#periodEnd));
        return;
      case 'pause': {
        this.#status = 'paused';
        this.#bill(at, 'subscription_update', [
          ...this.#discount(this.#usage.last(this.#items, at), at),
          ...this.#giveBack(() => true, at),
        ]);
        return;
      }
      case 'resume':
        this.#status = 'active';
        this.#anchor = at;
        this.#usage.measuredFrom = at;
        this.#enter(at);
        this.#bill(at, 'subscription_update', this.#charge(at, { used: this.#usage.write(this.#usage.late()) }));
        return;
      case 'use':
        this.#usage.report(at - (act.ago ?? 0), act.units);
        if (this.#status === 'active') this.#lookAtUsage(at);
    }
  }

  /** Whether what was used by now, this second with it, is worth the threshold; and whether something of what was billed has become more. */
  #lookAtUsage(at: number): void {
    const late = this.#usage.late();
    const soFar = this.#threshold === null ? [] : this.#usage.since(this.#items, at, at + 1, true).filter(({ line }) => line.amount !== 0);
    const worth = soFar.reduce((sum, { line }) => sum + line.amount, 0);
    const reached = this.#threshold !== null && worth > 0 && worth >= this.#threshold.amount;
    if (!reached && (this.#late === 'next_invoice' || late.every(({ isSilent }) => isSilent === true))) return;
    const reason = reached ? 'subscription_threshold' : 'subscription_update';
    if (!reached || !this.#threshold?.resets) {
      const lines = this.#discount(this.#usage.write([...late, ...(reached ? soFar : [])]), at);
      this.#bill(at, reason, lines, { pending: false });
      return;
    }
    const used = [...this.#usage.write(late), ...this.#usage.last(this.#items, at)];
    this.#usage.measuredFrom = at + 1;
    const credits = this.#giveBack(() => true, at);
    this.#anchor = at;
    this.#enter(at);
    this.#bill(at, reason, [...credits, ...this.#charge(at, { used })]);
  }

  #subscribe({ items, anchor, trialDays }: Extract<Act, { do: 'subscribe' }>, at: number): void {
    this.#items = items;
    this.#usage.measuredFrom = at;
    if (this.#coupon?.months != null) this.#couponEnds = monthsLater(at, this.#coupon.months);
    if (trialDays !== undefined) {
      const end = at + trialDays * 86_400;
      this.#anchor = end;
      this.#status = 'trialing';
      this.#periodEnd = end;
      const free = items.map(({ price, quantity }) => ({ price, quantity, start: at, end, amount: 0, off: 0 }));
      this.#bill(at, 'subscription_create', free);
      return;
    }
    this.#anchor = anchor ?? at;
    this.#status = 'active';
    this.#enter(at);
    this.#bill(at, 'subscription_create', this.#charge(at));
  }

  #change(items: Item[], proration: Proration, at: number): void {
    const before = this.#items;
    this.#items = inOrder(before, items);
    if (this.#status === 'trialing') return;
    if (movesOn(before, items)) {
      // The whole plan moves to another interval: a new period, billed at once.
      const lines = proration === 'none' ? this.#forfeit(at) : this.#giveBack(() => true, at);
      this.#anchor = at;
      this.#enter(at);
      this.#bill(at, 'subscription_update', [...lines, ...this.#charge(at)]);
      return;
    }
    const endedAt = this.#periodEnd;
    this.#enter(at);
    const touched = (name: string): boolean => !sameItem(find(before, name), find(items, name));
    if (proration === 'none') {
      this.#carry(touched, at);
      return;
    }
    // Where the period is another one now, everything is due until its end.
    const due = this.#periodEnd === endedAt ? touched : () => true;
    const lines = [...this.#giveBack(({ name }) => touched(name), at), ...this.#charge(at, { due })];
    if (proration === 'always_invoice') this.#bill(at, 'subscription_update', lines);
    else this.#pending.push(...lines);
  }

  /** With the end of the period the plan is another; what that means for what is billed beyond is settled by the renewal. */
  #changeAtTheEnd(items: Item[], at: number): void {
    const moves = movesOn(this.#items, items) && periodAround(this.#anchor, shortest(items), at)[0] !== at;
    if (moves) this.#anchor = at;
    this.#items = inOrder(this.#items, items);
    this.#later = null;
  }

  /** Each item from here to the end of its own cycle, as far as it is not paid for; what was used comes before it, and shares the coupon. */
  #charge(at: number, { used = [], due = () => true }: { used?: Line[]; due?: (name: string) => boolean } = {}): Line[] {
    const fees = this.#fees(at, due);
    const lines = this.#discount([...used, ...fees.map(({ line }) => line)], at);
    for (const [index, { item, line }] of fees.entries()) {
      const { off } = lines[used.length + index] ?? line;
      this.#cover(item, line.start, line.end, line.amount - off);
    }
    return lines;
  }

  #fees(at: number, which: (name: string) => boolean): { item: Item; line: Line }[] {
    return this.#items.flatMap((item): { item: Item; line: Line }[] => {
      const price = priced(item.price);
      if (price.metered || !which(item.name)) return [];
      const [cycleStart, cycleEnd] = periodAround(this.#anchor, price, this.#periodEnd - 1);
      const paidUntil = Math.max(
        at,
        ...this.#stretches.filter(({ name, from, until }) => name === item.name && until > Math.max(at, from)).map(({ until }) => until),
      );
      if (paidUntil >= cycleEnd) return [];
      const amount = round(part(costOf(price, item.quantity), cycleEnd - paidUntil, cycleEnd - cycleStart));
      return [{ item, line: { price: item.price, quantity: item.quantity, start: paidUntil, end: cycleEnd, amount, off: 0 } }];
    });
  }

  /** The percentage of all of it, rounded once; each line its share, and the cents that are left to those that lost most by rounding down. */
  #discount(lines: readonly Line[], at: number): Line[] {
    if (this.#coupon === null || at >= this.#couponEnds) return [...lines];
    const percent = decimal(this.#coupon.percent);
    const exactOff = lines.map(({ amount }) => part(times(percent, whole(Math.max(0, amount))), 1, 100));
    const off = exactOff.map(roundDown);
    const all = round(exactOff.reduce(plus, whole(0)));
    const lost = exactOff.map((value, index) => minus(value, whole(off[index] ?? 0)));
    const order = lines.map((_, index) => index).sort((a, b) => compare(lost[b] ?? whole(0), lost[a] ?? whole(0)) || a - b);
    const left = all - off.reduce((given, cents) => given + cents, 0);
    return lines.map((line, index) => ({ ...line, off: (off[index] ?? 0) + (order.indexOf(index) < left ? 1 : 0) }));
  }

  #cover(item: Item, from: number, until: number, amount: number): void {
    this.#stretches.push({ ...item, from, until, billedFrom: from, billedUntil: until, amount, credited: 0 });
  }

  /** What the stretch is worth from here on, and its end. */
  #cut(stretch: Stretch, at: number): number {
    const from = Math.max(stretch.from, at);
    const left = stretch.amount - stretch.credited;
    const value =
      from <= stretch.billedFrom
        ? left
        : Math.min(left, round(part(whole(stretch.amount), stretch.until - from, stretch.billedUntil - stretch.billedFrom)));
    stretch.credited += value;
    stretch.until = from;
    return value;
  }

  #giveBack(which: (stretch: Stretch) => boolean, at: number): Line[] {
    return this.#stretches
      .filter((stretch) => which(stretch) && stretch.until > at && stretch.until > stretch.from)
      .flatMap((stretch): Line[] => {
        const [start, end] = [Math.max(stretch.from, at), stretch.until];
        const amount = -this.#cut(stretch, at);
        return amount === 0 ? [] : [{ price: stretch.price, quantity: stretch.quantity, start, end, amount, off: 0 }];
      });
  }

  /** What was billed for items that are others now, or gone. */
  #giveBackStrangers(at: number): Line[] {
    return this.#giveBack((stretch) => !sameItem(find(this.#items, stretch.name), stretch), at);
  }

  #forfeit(at: number): Line[] {
    for (const stretch of this.#stretches) if (stretch.until > at) stretch.until = Math.max(stretch.from, at);
    return [];
  }

  /** No line: what was paid counts for what the item is now, and the rest of the period is free. */
  #carry(touched: (name: string) => boolean, at: number): void {
    for (const stretch of this.#stretches.filter(({ name, until }) => touched(name) && until > at)) {
      const item = find(this.#items, stretch.name);
      const [from, until] = [Math.max(stretch.from, at), stretch.until];
      const value = this.#cut(stretch, at);
      if (!item) continue;
      const cycleEnd = periodAround(this.#anchor, priced(item.price), this.#periodEnd - 1)[1];
      this.#cover(item, from, Math.min(until, cycleEnd), value);
    }
    for (const item of this.#items.filter(({ name }) => touched(name))) {
      const paidUntil = Math.max(
        at,
        ...this.#stretches.filter(({ name, from, until }) => name === item.name && until > from).map(({ until }) => until),
      );
      if (paidUntil < this.#periodEnd) this.#cover(item, paidUntil, this.#periodEnd, 0);
    }
  }

  #bill(at: number, reason: string, lines: Line[], { pending = true } = {}): void {
    this.#usage.pay(lines);
    this.#cashier.bill(this, at, reason, { tax: this.#tax, lines: pending ? [...this.#pending, ...lines] : lines });
    if (pending) this.#pending = [];
  }
}

const find = (items: readonly Item[], name: string): Item | undefined => items.find((item) => item.name === name);

/** As a change leaves them: what was there stays in its place, what is new comes last. */
const inOrder = (before: readonly Item[], after: readonly Item[]): Item[] => [
  ...before.flatMap(({ name }) => find(after, name) ?? []),
  ...after.filter(({ name }) => !find(before, name)),
];

const sameItem = (a: Item | undefined, b: Item | undefined): boolean =>
  a !== undefined && b !== undefined && a.price === b.price && a.quantity === b.quantity;

const shortest = (items: readonly Item[]): Cycle => ({ months: Math.min(...items.map(({ price }) => priced(price).months)) });

/** The shortest interval is another, and no item bills as it did. */
function movesOn(before: readonly Item[], after: readonly Item[]): boolean {
  if (shortest(before).months === shortest(after).months) return false;
  const monthsOf = (items: readonly Item[], name: string): number | undefined => {
    const item = find(items, name);
    return item && priced(item.price).months;
  };
  return !after.some(({ name }) => monthsOf(before, name) === monthsOf(after, name));
}
