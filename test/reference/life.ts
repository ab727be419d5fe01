/** One item of a plan, under a name of its own. */
export interface Item {
  name: string;
  price: string;
  quantity: number;
}

export type Proration = 'create_prorations' | 'always_invoice' | 'none';

/** What somebody does at an instant. */
export type Act =
  | { do: 'subscribe'; items: Item[]; anchor?: number; trialDays?: number }
  | { do: 'change'; items: Item[]; proration: Proration }
  /** What the plan is from the end of the period on. */
  | { do: 'change at period end'; items: Item[] }
  | { do: 'cancel'; prorate: boolean; invoiceNow: boolean }
  | { do: 'cancel at period end' }
  | { do: 'pause' }
  | { do: 'resume' }
  /** So much is used, one event for each; `ago`: so many seconds before it is reported. */
  | { do: 'use'; units: number[]; ago?: number };

export interface Life {
  /** Percent on top of every invoice; null: none. */
  tax: number | null;
  /** So many percent off from the beginning, for so many months; null: for ever. */
  coupon: { percent: string; months: number | null } | null;
  /** From what worth on usage is billed early, and whether a new period begins with it; null: never. */
  threshold: { amount: number; resets: boolean } | null;
  /** When usage that was reported late is billed. */
  late: 'next_invoice' | 'rerate';
  acts: { at: number; act: Act }[];
}

export interface Line {
  price: string;
  quantity: number;
  start: number;
  end: number;
  amount: number;
  /** What the coupon takes off it. */
  off: number;
}

export interface Bill {
  at: number;
  reason: string;
  lines: Line[];
  total: number;
  due: number;
}
