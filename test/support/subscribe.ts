import type { Decision } from '../../domain/decision.ts';
import { decideCancellation } from '../../domain/subscription/cancel.ts';
import type {
  CancelSubscription,
  ChangePlan,
  CreateSubscription,
  PauseSubscription,
  ResumeSubscription,
  ScheduleCancellation,
} from '../../domain/subscription/commands.ts';
import { decideCreation } from '../../domain/subscription/create-subscription.ts';
import { decidePause } from '../../domain/subscription/pause.ts';
import { decideReactivation } from '../../domain/subscription/reactivate.ts';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { decideResumption } from '../../domain/subscription/resume.ts';
import { decideScheduledCancellation } from '../../domain/subscription/schedule-cancellation.ts';
import { decideCommandedChange } from '../../domain/subscription/schedule-change.ts';
import type { Instant } from '../../domain/time.ts';
import type { MemoryBook } from './memory-book.ts';

/** A creation of these prices ("price" or "price × 3"), items named si_<price>. */
export const creation = (items: string[], patch: Partial<CreateSubscription> = {}): CreateSubscription => ({
  subscriptionId: 'sub_1',
  customerId: 'cus_1',
  currency: null,
  items: items.map((text) => {
    const [priceId = '', quantity = '1'] = text.split(' × ');
    return { id: `si_${priceId}`, priceId, quantity, taxRateIds: [] };
  }),
  paymentBehavior: 'allow_incomplete',
  billingTimezone: null,
  defaultPaymentMethodId: null,
  defaultTaxRateIds: [],
  cancelAtPeriodEnd: false,
  cancelAt: null,
  ...patch,
});

export const change = (patch: Partial<ChangePlan>): ChangePlan => ({
  prorationBehavior: 'create_prorations',
  paymentBehavior: 'allow_incomplete',
  ...patch,
});

export const create = (book: MemoryBook, at: Instant, items: string[], patch: Partial<CreateSubscription> = {}): Decision =>
  book.do(at, (snapshot, context) => decideCreation(snapshot, creation(items, patch), context));

/** Creates and pays the first invoice. */
export function createPaid(book: MemoryBook, at: Instant, items: string[], patch: Partial<CreateSubscription> = {}): Decision {
  const decision = create(book, at, items, patch);
  payAll(book, at);
  return decision;
}

export const changePlan = (book: MemoryBook, at: Instant, patch: Partial<ChangePlan>): Decision =>
  book.do(at, (snapshot, context) => decideCommandedChange(snapshot, change(patch), context));

/** One item to another price or quantity. */
export const changeItem = (
  book: MemoryBook,
  at: Instant,
  itemId: string,
  to: { priceId?: string; quantity?: string },
  patch: Partial<ChangePlan> = {},
): Decision => changePlan(book, at, { items: [{ do: 'update', itemId, ...to }], ...patch });

export const renew = (book: MemoryBook, at: Instant = book.living.currentPeriodEnd): Decision => book.do(at, decideRenewal);

export const cancel = (book: MemoryBook, at: Instant, patch: Partial<CancelSubscription> = {}): Decision =>
  book.do(at, (snapshot, context) => decideCancellation(snapshot, { prorate: false, invoiceNow: false, ...patch }, context));

export const schedule = (
  book: MemoryBook,
  at: Instant,
  end: ScheduleCancellation['at'],
  patch: Partial<ScheduleCancellation> = {},
): Decision => book.do(at, (snapshot, context) => decideScheduledCancellation(snapshot, { at: end, ...patch }, context));

/** Pauses with credit until it is resumed, now. */
export const pause = (book: MemoryBook, at: Instant, patch: Partial<PauseSubscription> = {}): Decision =>
  book.do(at, (snapshot, context) =>
    decidePause(
      snapshot,
      {
        at: 'now',
        unusedTime: 'credit',
        resumesAt: null,
        resume: { billingCycleAnchor: null, prorationBehavior: 'create_prorations' },
        ...patch,
      },
      context,
    ),
  );

export const resume = (book: MemoryBook, at: Instant, patch: Partial<ResumeSubscription> = {}): Decision =>
  book.do(at, (snapshot, context) =>
    decideResumption(snapshot, { billingCycleAnchor: null, prorationBehavior: 'create_prorations', ...patch }, context),
  );

export const reactivate = (book: MemoryBook, at: Instant): Decision => book.do(at, decideReactivation);

export function payAll(book: MemoryBook, at: Instant): void {
  for (const invoice of book.allInvoices) if (invoice.status === 'open') book.pay(invoice.id, at);
}

/** "Unused time on pro after 16 Jan 2025 -1000", for reading an invoice at a glance. */
export const linesOf = (invoice: { lines: { description: string; amount: number }[] }): string[] =>
  invoice.lines.map((line) => `${line.description} ${line.amount}`);
