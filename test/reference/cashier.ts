import { part, round, whole } from './fraction.ts';
import type { Bill, Line } from './life.ts';

/** What one subscription brings to a bill; `tax`: percent on top of it, null: none. */
export interface Share {
  tax: number | null;
  lines: Line[];
}

/** A subscription as those see it who may share a bill with it. */
export interface Payer {
  /** When its period ends and it goes on; null: never. */
  renewsAt(): number | null;
  hasEnded(): boolean;
}

/** A bill for all that renews on one day, which waits for those who have not renewed yet. */
interface Draft {
  at: number;
  day: number;
  /** It does not wait for longer. */
  until: number;
  of: Payer[];
  shares: Share[];
}

const HOUR = 3600;
const dayOf = (at: number): number => Math.floor(at / 86_400);

/** The till of one customer: writes the bills, and puts what the seller owes the customer against them. */
export class Cashier {
  readonly bills: Bill[] = [];
  /** Something was given back while a bill that holds it was still being written: no rule says in plain words what becomes of that. */
  isUnclear = false;
  readonly #sharesRenewals: boolean;
  #payers: Payer[] = [];
  #drafts: Draft[] = [];
  /** What the seller owes the customer. */
  #credit = 0;

  constructor({ sharesRenewals = false } = {}) {
    this.#sharesRenewals = sharesRenewals;
  }

  welcome(payer: Payer): void {
    this.#payers.push(payer);
  }

  /** A bill of one subscription. */
  bill(payer: Payer, at: number, reason: string, share: Share): void {
    if (share.lines.length === 0) return;
    if (share.lines.some(({ amount }) => amount < 0) && this.#drafts.some(({ of }) => of.includes(payer))) this.isUnclear = true;
    this.#write(at, reason, [share]);
  }

  /** A renewal, which is on one bill with all others of the day where the customer wants that: the last one ends the waiting. */
  renew(payer: Payer, at: number, share: Share): void {
    if (!this.#sharesRenewals) {
      this.bill(payer, at, 'subscription_cycle', share);
      return;
    }
    const day = dayOf(at);
    const toCome = this.#payers
      .filter((other) => other !== payer)
      .flatMap((other) => other.renewsAt() ?? [])
      .filter((when) => dayOf(when) === day);
    const known = this.#drafts.find((draft) => draft.day === day && draft.until >= at && !draft.of.includes(payer));
    if (share.lines.length === 0) {
      if (known && toCome.length === 0) this.#finish(known);
      return;
    }
    if (!known && toCome.length === 0) {
      this.bill(payer, at, 'subscription_cycle', share);
      return;
    }
    const draft = known ?? { at, day, until: Math.max(at, ...toCome) + HOUR, of: [], shares: [] };
    if (!known) this.#drafts.push(draft);
    draft.of.push(payer);
    draft.shares.push(share);
    if (toCome.length === 0) this.#finish(draft);
  }

  /** Somebody has ended: a bill that is still being written, and of nobody who lives, is left to a person. */
  leave(): void {
    for (const draft of this.#drafts.filter(({ of }) => of.every((payer) => payer.hasEnded()))) {
      this.#drafts = this.#drafts.filter((other) => other !== draft);
      if (draft.shares.some(({ lines }) => lines.some(({ amount }) => amount < 0))) this.isUnclear = true;
    }
  }

  /** The next instant at which a bill waits no longer. */
  get waitsUntil(): number {
    return Math.min(...this.#drafts.map(({ until }) => until));
  }

  /** Nobody else comes. */
  stopWaiting(at: number): void {
    for (const draft of this.#drafts.filter(({ until }) => until <= at)) this.#finish(draft);
  }

  #finish(draft: Draft): void {
    this.#drafts = this.#drafts.filter((other) => other !== draft);
    this.#write(draft.at, 'subscription_cycle', draft.shares);
  }

  #write(at: number, reason: string, shares: readonly Share[]): void {
    const lines = shares.flatMap((share) => share.lines);
    const worth = (some: readonly Line[]): number => some.reduce((sum, { amount, off }) => sum + amount - off, 0);
    const rates = new Set(shares.flatMap(({ tax }) => tax ?? []));
    const taxes = [...rates].map((rate) => {
      const taxed = shares.filter(({ tax }) => tax === rate).flatMap((share) => share.lines);
      return round(part(whole(worth(taxed)), rate, 100));
    });
    const total = worth(lines) + taxes.reduce((sum, tax) => sum + tax, 0);
    const used = Math.min(this.#credit, Math.max(total, 0));
    this.#credit += Math.max(-total, 0) - used;
    this.bills.push({ at, reason, lines, total, due: Math.max(total, 0) - used });
  }
}
