import { ApplicationFailure } from '@temporalio/common';
import type {
  Activities,
  BillingOutcome,
  DunningFacts,
  InvoiceFacts,
  MemberFacts,
  PaymentResult,
  ScheduleOutcome,
  SubscriptionFacts,
} from '../../activities/index.ts';
import type { Cycle } from '../../domain/catalog/price.ts';
import { type DunningPolicy, terminalAction } from '../../domain/dunning/policy.ts';
import type { RefusalCode } from '../../domain/errors.ts';
import type { InvoiceStatus } from '../../domain/invoicing/invoice.ts';
import type { PaymentOutcomeKind } from '../../domain/payments/payment.ts';
import type { ScheduleStatus } from '../../domain/schedule/transitions.ts';
import type { ChangePlan, CreateSubscription } from '../../domain/subscription/commands.ts';
import type { MissingPaymentMethod, SubscriptionStatus } from '../../domain/subscription/subscription.ts';
import { boundary, type Instant } from '../../domain/time.ts';
import { aSubscription } from '../api/examples.ts';

interface Sub {
  id: string;
  status: SubscriptionStatus;
  priceId: string;
  quantity: number;
  anchor: Instant;
  zone: string;
  n: number;
  cancelAt: Instant | null;
  incompleteExpiresAt: Instant | null;
  pendingUpdate: { invoiceId: string; expiresAt: Instant; priceId: string; quantity: number } | null;
  /** A trial comes before the first period; paid periods are counted from its end. */
  trial: { start: Instant; end: Instant; remindAt: Instant | null; missing: MissingPaymentMethod } | null;
  pause: { at: Instant; resumesAt: Instant | null; unusedTime: 'credit' | 'extend' } | null;
  /** Seconds by which pauses have moved the boundaries. */
  moved: number;
  collectionResumesAt: Instant | null;
  scheduled: { id: string; effectiveAt: Instant | null; change: ChangePlan }[];
  revision: number;
  /** What was told of it last, in the revision. */
  told: string;
}

export interface FakeInvoice {
  id: string;
  status: InvoiceStatus;
  subscriptionId: string;
  reason: 'create' | 'cycle' | 'threshold' | 'update' | 'final';
  period: { start: Instant; end: Instant };
  amount: number;
  taxPending: boolean;
  isUpdate: boolean;
  nextAttempt: Instant | null;
  createdAt: Instant;
  autoAdvance: boolean;
  finalizesAt: Instant | null;
  dueDate: Instant | null;
  isOverdue: boolean;
}

/** What an edit's id says, in place of the table that the real ones are read from. Without prices a schedule cannot start. */
export type FakeScheduleEdit = { do: 'plan'; startsAt: Instant; prices: string[] } | { do: 'canceled' | 'released' };

interface Attempt {
  invoiceId: string;
  number: number;
  outcome: PaymentOutcomeKind;
  declineCode: string | null;
  paymentMethodId: string | null;
  at: Instant;
}

/** What a charge does: an outcome, or a decline with a code. */
export type Charge = PaymentOutcomeKind | { declined: string };

export const HOUR = 3600;
export const DAY = 86_400;

/** Unit price and cycle by price id. */
const PRICES: Record<string, { unit: number; cycle: Cycle }> = {
  price_month_10: { unit: 1000, cycle: { interval: 'month', intervalCount: 1 } },
  price_month_30: { unit: 3000, cycle: { interval: 'month', intervalCount: 1 } },
  price_day_1: { unit: 100, cycle: { interval: 'day', intervalCount: 1 } },
  price_year_100: { unit: 10_000, cycle: { interval: 'year', intervalCount: 1 } },
  price_second: { unit: 5, cycle: { interval: 'day', intervalCount: 1 } },
};

/**
 * A book in memory that keeps the contract of the activities: every operation once, its first answer ever after, one unresolved attempt per invoice, no period
 * billed twice. It prices simply; what it does not do by halves is refuse.
 */
export class FakeBilling {
  readonly subs = new Map<string, Sub>();
  readonly invoices: FakeInvoice[] = [];
  readonly attempts: Attempt[] = [];
  /** Every execution of an activity that reached the book, repeats included: "verb operation". */
  readonly calls: string[] = [];
  readonly asOf: Record<string, Instant> = {};
  private readonly operations = new Map<string, unknown>();

  /** What the next charges do, in order; then `paid`. */
  charges: Charge[] = [];
  /** What the next look-ups find, in order; then `paid`. */
  lookUps: Charge[] = [];
  /** Verbs that throw as if the database were away, and how often. */
  outages: Partial<Record<keyof Activities, number>> = {};
  /** Verbs that refuse. */
  refusals: Partial<Record<keyof Activities, RefusalCode>> = {};
  /** The schedule of the subscription, its phases a month each. */
  schedule: { id: string; status: ScheduleStatus; startsAt: Instant; prices: string[] } | null = null;
  /** When the quote expires now, whatever its workflow was told; in the past: it is settled. */
  quoteExpiresAt: Instant = 0;
  /** Worth of what is used and not billed yet; from `threshold` on it is billed early. */
  used = 0;
  threshold = 1000;
  externalTax = false;
  /** What every decision that makes or settles an invoice makes of further subscriptions. */
  others: MemberFacts[] = [];
  /** How long the invoice of a renewal stays a draft. */
  graceSeconds = 0;
  /** What happens to a draft right after its taxes have come. */
  afterTax: ((invoice: FakeInvoice) => void) | null = null;
  /** Whether the customer has a payment method when a trial ends. */
  canPay = true;
  /** Days a customer has to pay what is sent; null: it is charged. */
  daysUntilDue: number | null = null;
  timezone = 'UTC';
  /** Seconds of the period of `price_second`, in place of its day. */
  secondsPerPeriod: number | null = null;
  policy: DunningPolicy = { retryDelays: [3 * DAY, 5 * DAY, 7 * DAY], hardDeclines: ['stolen_card'], terminalAction: 'cancel' };

  get activities(): Activities {
    return {
      findClockParticipants: async () => [],
      finishClockAdvance: async () => {},
      takePriceMigrationPage: async () => ({ do: 'nothing' }),
      migrateSubscription: async () => {},
      undoMigration: async () => {},
      giveUpMigration: async () => {},
      createSubscription: async (input) =>
        this.once('createSubscription', input, () => {
          const item = input.items[0];
          if (item === undefined) throw refusal('parameter_missing');
          if (PRICES[item.priceId] === undefined) throw refusal('resource_missing');
          const sub: Sub = {
            id: input.subscriptionId,
            status: 'incomplete',
            priceId: item.priceId,
            quantity: Number(item.quantity),
            anchor: input.asOf,
            zone: input.billingTimezone ?? this.timezone,
            n: 0,
            cancelAt: typeof input.cancelAt === 'string' ? null : input.cancelAt,
            incompleteExpiresAt: input.asOf + 23 * HOUR,
            pendingUpdate: null,
            trial: null,
            pause: null,
            moved: 0,
            collectionResumesAt: null,
            scheduled: [],
            revision: 0,
            told: '',
          };
          if (input.trial !== undefined) startTrial(sub, input);
          this.subs.set(sub.id, sub);
          const invoice = this.bill(sub, 'create', sub.trial === null ? this.priceOf(sub) : 0, this.period(sub));
          if (sub.trial !== null) sub.status = 'trialing';
          else if (this.daysUntilDue !== null) Object.assign(sub, { status: 'active', incompleteExpiresAt: null });
          return this.outcome(sub, invoice);
        }),
      issueInvoice: async (input) =>
        this.once('issueInvoice', input, () => {
          const sub = this.living(input.subscriptionId);
          if (sub.cancelAt !== null && sub.cancelAt <= input.asOf) {
            sub.status = 'canceled';
            return this.outcome(sub, null);
          }
          if (input.asOf !== this.period(sub).end) throw new Error(`renewed at ${input.asOf}, not at ${this.period(sub).end}`);
          if (sub.trial !== null && sub.n === -1 && !this.canPay && sub.trial.missing !== 'create_invoice') {
            sub.status = sub.trial.missing === 'pause' ? 'paused' : 'canceled';
            return this.outcome(sub, null);
          }
          if (sub.n === -1) sub.status = 'active';
          sub.n += 1;
          return this.outcome(sub, this.bill(sub, 'cycle', this.priceOf(sub), this.period(sub)));
        }),
      billThreshold: async (input) => {
        const sub = this.living(input.subscriptionId);
        // As the real one: what is nothing is not written down.
        if (this.used < this.threshold && !this.operations.has(input.operationId)) {
          this.strike('billThreshold');
          this.calls.push(`billThreshold ${input.operationId}`);
          return this.outcome(sub, null);
        }
        return this.once('billThreshold', input, () => {
          const amount = this.used;
          this.used = 0;
          sub.revision += 1;
          return this.outcome(sub, this.bill(sub, 'threshold', amount, { start: input.asOf, end: input.asOf }));
        });
      },
      remindOfTrialEnd: async (input) =>
        this.once('remindOfTrialEnd', input, () => {
          const sub = this.living(input.subscriptionId);
          if (sub.trial?.remindAt === input.asOf) sub.trial.remindAt = null;
          return this.outcome(sub, null);
        }),
      changePlan: async (input) =>
        this.once('changePlan', input, () => {
          const sub = this.living(input.subscriptionId);
          if (sub.pendingUpdate !== null) throw refusal('pending_update_exists');
          if (input.effectiveAt !== undefined) {
            const effectiveAt = input.effectiveAt === 'period_end' ? null : input.effectiveAt;
            if (effectiveAt !== null && effectiveAt <= input.asOf) throw refusal('date_out_of_range');
            sub.scheduled.push({ id: `schg_${input.operationId}`, effectiveAt, change: input });
            return this.outcome(sub, null);
          }
          const period = this.period(sub);
          if (input.asOf < period.start || input.asOf >= period.end) throw new Error(`changed at ${input.asOf}, outside its period`);
          if (input.trialEnd === 'now') {
            Object.assign(sub, { status: 'active', anchor: input.asOf, n: 0 });
            return this.outcome(sub, this.bill(sub, 'update', this.priceOf(sub), this.period(sub)));
          }
          if (input.trialEnd !== undefined && sub.trial !== null) {
            sub.trial = { ...sub.trial, end: input.trialEnd, remindAt: Math.max(input.trialEnd - 3 * DAY, input.asOf) };
            sub.anchor = input.trialEnd;
            return this.outcome(sub, null);
          }
          if (input.pauseCollection !== undefined) sub.collectionResumesAt = input.pauseCollection?.resumesAt ?? null;
          const change = input.items?.find((item) => item.do === 'update');
          const next = { priceId: change?.priceId ?? sub.priceId, quantity: Number(change?.quantity ?? sub.quantity) };
          if (PRICES[next.priceId] === undefined) throw refusal('resource_missing');
          const left = (period.end - input.asOf) / (period.end - period.start);
          const amount = Math.round((this.priceOf({ ...sub, ...next }) - this.priceOf(sub)) * left);
          const waits = input.paymentBehavior === 'error_if_incomplete' || input.paymentBehavior === 'pending_if_incomplete';
          const invoice =
            input.items !== undefined && input.prorationBehavior === 'always_invoice'
              ? this.bill(sub, 'update', amount, { start: input.asOf, end: period.end })
              : null;
          if (waits && invoice !== null && amount > 0) {
            invoice.isUpdate = true;
            sub.pendingUpdate = { invoiceId: invoice.id, expiresAt: input.asOf + 23 * HOUR, ...next };
          } else Object.assign(sub, next);
          return this.outcome(sub, invoice);
        }),
      applyScheduledChange: async (input) =>
        this.once('applyScheduledChange', input, () => {
          const sub = this.living(input.subscriptionId);
          const scheduled = sub.scheduled.find(({ id }) => id === input.changeId);
          if (scheduled === undefined) return this.outcome(sub, null);
          const { start, end } = this.period(sub);
          if (input.asOf !== (scheduled.effectiveAt ?? end)) throw new Error(`applied at ${input.asOf}, not at its instant`);
          if (input.asOf < start || input.asOf > end) throw new Error(`applied at ${input.asOf}, outside its period`);
          sub.scheduled = sub.scheduled.filter((other) => other !== scheduled);
          const change = scheduled.change.items?.find((item) => item.do === 'update');
          const next = { priceId: change?.priceId ?? sub.priceId, quantity: Number(change?.quantity ?? sub.quantity) };
          if (PRICES[next.priceId] === undefined) return this.outcome(sub, null);
          const amount = Math.round((this.priceOf({ ...sub, ...next }) - this.priceOf(sub)) * ((end - input.asOf) / (end - start)));
          Object.assign(sub, next);
          const invoiced = scheduled.change.prorationBehavior === 'always_invoice' && input.asOf < end;
          return this.outcome(sub, invoiced ? this.bill(sub, 'update', amount, { start: input.asOf, end }) : null);
        }),
      cancelScheduledChange: async (input) =>
        this.once('cancelScheduledChange', input, () => {
          const sub = this.living(input.subscriptionId);
          if (!sub.scheduled.some(({ id }) => id === input.changeId)) throw refusal('transition_not_allowed');
          sub.scheduled = sub.scheduled.filter(({ id }) => id !== input.changeId);
          return this.outcome(sub, null);
        }),
      resolvePendingUpdate: async (input) =>
        this.once('resolvePendingUpdate', input, () => {
          const sub = this.living(input.subscriptionId);
          const pending = sub.pendingUpdate;
          if (pending === null) throw refusal('transition_not_allowed');
          const invoice = this.invoice(pending.invoiceId);
          if (input.apply) {
            if (invoice.status !== 'paid') throw new Error('applied before it was paid');
            sub.priceId = pending.priceId;
            sub.quantity = pending.quantity;
          } else invoice.status = 'void';
          sub.pendingUpdate = null;
          return this.outcome(sub, invoice);
        }),
      scheduleCancellation: async (input) =>
        this.once('scheduleCancellation', input, () => {
          const sub = this.living(input.subscriptionId);
          sub.cancelAt = input.at === 'never' ? null : typeof input.at === 'string' ? this.period(sub).end : input.at;
          return this.outcome(sub, null);
        }),
      pauseSubscription: async (input) =>
        this.once('pauseSubscription', input, () => {
          const sub = this.living(input.subscriptionId);
          const at = input.at === 'now' ? input.asOf : input.at === 'period_end' ? this.period(sub).end : input.at;
          sub.pause = { at, resumesAt: input.resumesAt, unusedTime: input.unusedTime };
          if (input.at === 'now') sub.status = 'paused';
          return this.outcome(sub, null);
        }),
      beginPause: async (input) =>
        this.once('beginPause', input, () => {
          const sub = this.living(input.subscriptionId);
          if (sub.pause?.at !== input.asOf) throw new Error(`paused at ${input.asOf}, not at ${sub.pause?.at}`);
          sub.status = 'paused';
          return this.outcome(sub, null);
        }),
      resumeSubscription: async (input) => this.once('resumeSubscription', input, () => this.resume(input)),
      endPause: async (input) =>
        this.once('endPause', input, () => {
          const { pause } = this.living(input.subscriptionId);
          if (pause?.resumesAt !== input.asOf) throw new Error(`resumed at ${input.asOf}, not at ${pause?.resumesAt}`);
          return this.resume(input);
        }),
      resumeCollection: async (input) =>
        this.once('resumeCollection', input, () => {
          const sub = this.living(input.subscriptionId);
          sub.collectionResumesAt = null;
          return this.outcome(sub, null);
        }),
      reactivateSubscription: async (input) =>
        this.once('reactivateSubscription', input, () => {
          const sub = this.sub(input.subscriptionId);
          if (sub.status !== 'canceled') throw refusal('transition_not_allowed');
          sub.status = 'active';
          if (input.asOf < this.period(sub).end) return this.outcome(sub, null);
          while (this.period(sub).end <= input.asOf) sub.n += 1;
          return this.outcome(sub, this.bill(sub, 'update', this.priceOf(sub), { start: input.asOf, end: this.period(sub).end }));
        }),
      loadSubscription: async ({ subscriptionId }) => {
        this.strike('loadSubscription');
        const sub = this.sub(subscriptionId);
        const subscription = aSubscription({ id: sub.id, status: sub.status, currentPeriodStart: this.period(sub).start });
        return { facts: this.subscriptionFacts(sub), record: { subscription, generation: 1, clock: null, invoices: [], answered: [] } };
      },
      cancelSubscription: async (input) =>
        this.once('cancelSubscription', input, () => {
          const sub = this.living(input.subscriptionId);
          const period = this.period(sub);
          if (input.asOf >= period.end) throw new Error('cancelled after the end of a period that was not renewed');
          sub.status = 'canceled';
          const invoice = input.invoiceNow ? this.bill(sub, 'final', 700, { start: period.start, end: input.asOf }) : null;
          return this.outcome(sub, invoice);
        }),
      expireQuote: async ({ asOf }) => {
        this.strike('expireQuote');
        this.calls.push(`expireQuote ${asOf}`);
        return { expiresAt: this.quoteExpiresAt > asOf ? this.quoteExpiresAt : null };
      },
      editSchedule: async (input) =>
        this.once('editSchedule', input, () => {
          const edit = JSON.parse(input.editId) as FakeScheduleEdit;
          if (edit.do === 'plan') {
            this.schedule = { id: input.scheduleId, status: 'not_started', startsAt: edit.startsAt, prices: edit.prices };
          } else {
            if (this.schedule?.status !== 'not_started') throw refusal('transition_not_allowed');
            this.schedule.status = edit.do;
          }
          return this.scheduleOutcome(null);
        }),
      startSchedule: async (input) =>
        this.once('startSchedule', input, () => {
          const { schedule } = this;
          if (schedule?.status !== 'not_started') return this.scheduleOutcome(null);
          if (schedule.startsAt !== input.asOf) throw new Error(`started at ${input.asOf}, not at ${schedule.startsAt}`);
          const [first, ...later] = schedule.prices;
          if (first === undefined) {
            schedule.status = 'canceled';
            return this.scheduleOutcome(null);
          }
          schedule.status = 'active';
          const sub: Sub = {
            ...{
              id: input.subscriptionId,
              status: 'incomplete',
              priceId: first,
              quantity: 1,
              anchor: input.asOf,
              zone: this.timezone,
              n: 0,
            },
            ...{ cancelAt: null, incompleteExpiresAt: input.asOf + 23 * HOUR, pendingUpdate: null, trial: null, pause: null, moved: 0 },
            ...{ collectionResumesAt: null, scheduled: [], revision: 0, told: '' },
          };
          this.subs.set(sub.id, sub);
          const { end } = this.period(sub);
          sub.scheduled = later.map((priceId, index) => ({
            id: `schg_${index + 1}`,
            effectiveAt: boundary(input.asOf, { interval: 'month', intervalCount: 1 }, this.timezone, index + 1),
            change: {
              items: [{ do: 'update', itemId: 'si_1', priceId }],
              prorationBehavior: 'none',
              paymentBehavior: 'allow_incomplete',
            },
          }));
          return this.scheduleOutcome(this.outcome(sub, this.bill(sub, 'create', this.priceOf(sub), { start: input.asOf, end })));
        }),
      expireSubscription: async (input) =>
        this.once('expireSubscription', input, () => {
          const sub = this.living(input.subscriptionId);
          if (sub.status !== 'incomplete') throw refusal('transition_not_allowed');
          sub.status = 'incomplete_expired';
          for (const invoice of this.invoices) if (invoice.status === 'open' || invoice.status === 'draft') invoice.status = 'void';
          return this.outcome(sub, this.invoices[0] ?? null);
        }),
      calculateTax: async (input) =>
        this.once('calculateTax', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status !== 'draft') throw refusal('invoice_not_draft');
          invoice.taxPending = false;
          const facts = this.invoiceFacts(invoice);
          this.afterTax?.(invoice);
          return facts;
        }),
      finalizeInvoice: async (input) =>
        this.once('finalizeInvoice', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status !== 'draft') throw refusal('invoice_not_draft');
          const waits = !invoice.autoAdvance || (invoice.finalizesAt ?? input.asOf) > input.asOf;
          if (input.automatic && waits) throw refusal('invoice_not_draft');
          if (invoice.taxPending) throw refusal('transition_not_allowed');
          invoice.status = 'open';
          invoice.autoAdvance = input.autoAdvance ?? invoice.autoAdvance;
          invoice.finalizesAt = null;
          return this.invoiceFacts(invoice);
        }),
      editInvoice: async (input) =>
        this.once('editInvoice', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status !== 'draft') throw refusal('invoice_not_draft');
          return this.invoiceFacts(invoice);
        }),
      setAutoAdvance: async (input) =>
        this.once('setAutoAdvance', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status !== 'draft') throw refusal('invoice_not_draft');
          invoice.autoAdvance = input.autoAdvance;
          invoice.finalizesAt = input.autoAdvance ? Math.max(input.asOf, invoice.createdAt + this.graceSeconds) : null;
          return this.invoiceFacts(invoice);
        }),
      collectPayment: async (input) =>
        this.once('collectPayment', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status === 'paid') throw refusal('invoice_already_paid');
          if (invoice.status !== 'open') throw refusal('invoice_not_open');
          const last = this.attempts.filter(({ invoiceId }) => invoiceId === invoice.id).at(-1);
          if (last?.outcome === 'unknown' || last?.outcome === 'processing') throw refusal('payment_in_progress');
          const charge = this.charges.shift() ?? 'paid';
          if (charge === 'no_payment_method') return this.paymentResult(invoice, null, 'no_payment_method');
          const attempt: Attempt = {
            invoiceId: invoice.id,
            number: (last?.number ?? 0) + 1,
            outcome: 'paid',
            declineCode: null,
            paymentMethodId: input.paymentMethodId,
            at: input.asOf,
          };
          this.attempts.push(attempt);
          return this.conclude(attempt, charge);
        }),
      resolvePayment: async (input) =>
        this.once('resolvePayment', input, () => {
          const attempt = this.attempts.filter(({ invoiceId }) => invoiceId === input.invoiceId).at(-1);
          if (attempt === undefined) throw refusal('resource_missing');
          if (attempt.outcome !== 'unknown' && attempt.outcome !== 'processing')
            return this.paymentResult(this.invoice(input.invoiceId), attempt, attempt.outcome);
          return this.conclude(attempt, this.lookUps.shift() ?? 'paid');
        }),
      voidInvoice: async (input) =>
        this.once('voidInvoice', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status !== 'open') throw refusal('invoice_not_open');
          invoice.status = 'void';
          return { invoice: this.invoiceFacts(invoice), subscription: this.subscriptionFacts(this.sub(invoice.subscriptionId)) };
        }),
      markInvoiceUncollectible: async (input) =>
        this.once('markInvoiceUncollectible', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status !== 'open') throw refusal('invoice_not_open');
          invoice.status = 'uncollectible';
          return { invoice: this.invoiceFacts(invoice), subscription: this.subscriptionFacts(this.sub(invoice.subscriptionId)) };
        }),
      payOutOfBand: async (input) =>
        this.once('payOutOfBand', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status !== 'open') throw refusal('invoice_not_open');
          invoice.status = 'paid';
          const sub = this.sub(invoice.subscriptionId);
          if (sub.status === 'past_due') sub.status = 'active';
          return { invoice: this.invoiceFacts(invoice), subscription: this.subscriptionFacts(sub) };
        }),
      sendInvoice: async (input) =>
        this.once('sendInvoice', input, () => {
          const invoice = this.invoice(input.invoiceId);
          if (invoice.status !== 'open') throw refusal('invoice_not_open');
          return this.invoiceFacts(invoice);
        }),
      markOverdue: async (input) =>
        this.once('markOverdue', input, () => {
          const invoice = this.invoice(input.invoiceId);
          const sub = this.sub(invoice.subscriptionId);
          if (input.asOf < (invoice.dueDate ?? 0)) throw new Error(`overdue at ${input.asOf}, before it is due`);
          invoice.isOverdue = true;
          if (sub.status === 'active') sub.status = 'past_due';
          return { invoice: this.invoiceFacts(invoice), subscription: this.subscriptionFacts(sub) };
        }),
      loadDunning: async ({ invoiceId }) => {
        this.strike('loadDunning');
        const attempts = this.attempts.filter((attempt) => attempt.invoiceId === invoiceId);
        const last = attempts.at(-1);
        return {
          policy: this.policy,
          invoice: this.invoiceFacts(this.invoice(invoiceId)),
          attemptCount: attempts.length,
          lastDeclineCode: last?.declineCode ?? null,
          lastAttemptAt: last?.at ?? null,
          unresolved: last?.outcome === 'unknown' || last?.outcome === 'processing',
          ...this.awaited(this.invoice(invoiceId)),
        };
      },
      scheduleAttempt: async (input) =>
        this.once('scheduleAttempt', input, () => {
          this.invoice(input.invoiceId).nextAttempt = input.at;
        }),
      endDunning: async (input) =>
        this.once('endDunning', input, () => {
          const invoice = this.invoice(input.invoiceId);
          const sub = this.sub(invoice.subscriptionId);
          if (invoice.status === 'open' && sub.status !== 'canceled') {
            const action = terminalAction(this.policy, invoice);
            sub.status = action === 'cancel' ? 'canceled' : action;
          }
          invoice.nextAttempt = null;
          return { subscription: this.subscriptionFacts(sub), invoice: this.invoiceFacts(invoice) };
        }),
    };
  }

  private scheduleOutcome(outcome: BillingOutcome | null): ScheduleOutcome {
    if (this.schedule === null) throw refusal('resource_missing');
    const { id, status, startsAt } = this.schedule;
    return { schedule: { id, status, startsAt }, subscription: outcome?.subscription ?? null, invoice: outcome?.invoice ?? null };
  }

  /** Verbs of the operations that were carried out, in order, without repeats. */
  get verbs(): string[] {
    return [...new Set(this.calls)].map((call) => call.split(' ')[0] ?? '');
  }

  /** Periods billed by creation and renewals, to check that they are whole and disjoint. */
  get periods(): { start: Instant; end: Instant }[] {
    return this.invoices.filter(({ reason }) => reason === 'create' || reason === 'cycle').map(({ period }) => period);
  }

  private once<R>(verb: keyof Activities, input: { operationId: string; asOf: Instant }, act: () => R): R {
    this.strike(verb);
    this.calls.push(`${verb} ${input.operationId}`);
    if (!this.operations.has(input.operationId)) {
      this.asOf[input.operationId] = input.asOf;
      this.operations.set(input.operationId, structuredClone(act()));
    }
    return structuredClone(this.operations.get(input.operationId)) as R;
  }

  private strike(verb: keyof Activities): void {
    const code = this.refusals[verb];
    if (code !== undefined) throw refusal(code);
    const left = this.outages[verb] ?? 0;
    if (left === 0) return;
    this.outages[verb] = left - 1;
    throw new Error(`${verb} cannot reach the database`);
  }

  private conclude(attempt: Attempt, charge: Charge): PaymentResult {
    const invoice = this.invoice(attempt.invoiceId);
    const sub = this.sub(invoice.subscriptionId);
    attempt.outcome = typeof charge === 'string' ? charge : 'declined';
    attempt.declineCode = typeof charge === 'string' ? (charge === 'declined' ? 'card_declined' : null) : charge.declined;
    if (attempt.outcome === 'paid') {
      invoice.status = 'paid';
      const owes = this.invoices.some((other) => other.subscriptionId === sub.id && other.status === 'open' && !other.isUpdate);
      if (sub.status === 'incomplete' || (sub.status === 'past_due' && !owes)) sub.status = 'active';
      sub.incompleteExpiresAt = null;
    } else if (!['unknown', 'processing'].includes(attempt.outcome) && sub.status === 'active' && !invoice.isUpdate)
      sub.status = 'past_due';
    return this.paymentResult(invoice, attempt, attempt.outcome);
  }

  /** Given back, or billed anew from now. */
  private resume({ subscriptionId, asOf }: { subscriptionId: string; asOf: Instant }): BillingOutcome {
    const sub = this.living(subscriptionId);
    const { pause } = sub;
    if (pause === null) throw refusal('transition_not_allowed');
    sub.pause = null;
    if (sub.status !== 'paused') return this.outcome(sub, null);
    sub.status = 'active';
    if (pause.unusedTime === 'extend') {
      sub.moved += asOf - pause.at;
      return this.outcome(sub, null);
    }
    for (const { period } of this.invoices) period.end = Math.min(period.end, Math.max(period.start, pause.at));
    Object.assign(sub, { anchor: asOf, n: 0, moved: 0 });
    return this.outcome(sub, this.bill(sub, 'cycle', this.priceOf(sub), this.period(sub)));
  }

  private bill(sub: Sub, reason: FakeInvoice['reason'], amount: number, period: FakeInvoice['period']): FakeInvoice {
    const clash = this.invoices.find(
      (other) => other.reason === reason && reason === 'cycle' && other.period.start < period.end && period.start < other.period.end,
    );
    if (clash !== undefined) throw new Error(`${JSON.stringify(period)} is billed already by ${clash.id}`);
    const waits = reason === 'cycle' && this.graceSeconds > 0;
    const invoice: FakeInvoice = {
      id: `in_${sub.id.slice(4)}_${this.invoices.length + 1}`,
      status: this.externalTax || waits ? 'draft' : amount > 0 ? 'open' : 'paid',
      subscriptionId: sub.id,
      reason,
      period,
      amount,
      taxPending: this.externalTax,
      isUpdate: false,
      nextAttempt: null,
      createdAt: period.start,
      autoAdvance: true,
      finalizesAt: waits ? period.start + this.graceSeconds : null,
      dueDate: this.daysUntilDue === null ? null : period.start + this.daysUntilDue * DAY,
      isOverdue: false,
    };
    this.invoices.push(invoice);
    return invoice;
  }

  private priceOf({ priceId, quantity }: Pick<Sub, 'priceId' | 'quantity'>): number {
    return (PRICES[priceId]?.unit ?? 0) * quantity;
  }

  private period(sub: Sub): { start: Instant; end: Instant } {
    const { start, end } = this.planned(sub);
    return { start: start + sub.moved, end: end + sub.moved };
  }

  private planned({ anchor, priceId, zone, n, trial }: Sub): { start: Instant; end: Instant } {
    if (n === -1 && trial !== null) return { start: trial.start, end: trial.end };
    if (this.secondsPerPeriod !== null) return { start: anchor + n * this.secondsPerPeriod, end: anchor + (n + 1) * this.secondsPerPeriod };
    const cycle = PRICES[priceId]?.cycle ?? { interval: 'month', intervalCount: 1 };
    return { start: boundary(anchor, cycle, zone, n), end: boundary(anchor, cycle, zone, n + 1) };
  }

  private sub(id: string): Sub {
    const sub = this.subs.get(id);
    if (sub === undefined) throw refusal('resource_missing');
    return sub;
  }

  private living(id: string): Sub {
    const sub = this.sub(id);
    if (sub.status === 'canceled' || sub.status === 'incomplete_expired') throw refusal('subscription_canceled');
    return sub;
  }

  private invoice(id: string): FakeInvoice {
    const invoice = this.invoices.find((candidate) => candidate.id === id);
    if (invoice === undefined) throw refusal('resource_missing');
    return invoice;
  }

  private outcome(sub: Sub, invoice: FakeInvoice | null): BillingOutcome {
    return {
      subscription: this.subscriptionFacts(sub),
      invoice: invoice === null ? null : this.invoiceFacts(invoice),
      ...(this.others.length === 0 || invoice === null ? {} : { others: this.others }),
    };
  }

  private subscriptionFacts(sub: Sub): SubscriptionFacts {
    const facts = this.whatIsKnown(sub);
    const told = JSON.stringify(facts);
    if (told !== sub.told) Object.assign(sub, { revision: sub.revision + 1, told });
    return { ...facts, revision: sub.revision };
  }

  private whatIsKnown(sub: Sub): Omit<SubscriptionFacts, 'revision'> {
    const { start, end } = this.period(sub);
    const [scheduled] = sub.scheduled
      .map(({ id, effectiveAt, change }) => ({ id, effectiveAt: effectiveAt ?? end, paymentBehavior: change.paymentBehavior }))
      .filter(({ effectiveAt }) => effectiveAt <= end && effectiveAt < (sub.cancelAt ?? Number.POSITIVE_INFINITY))
      .sort((a, b) => a.effectiveAt - b.effectiveAt);
    return {
      ...(scheduled === undefined ? {} : { scheduledChange: scheduled }),
      status: sub.status,
      currency: 'eur',
      planId: sub.priceId,
      periodStart: start,
      periodEnd: end,
      cancelAt: sub.cancelAt,
      incompleteExpiresAt: sub.incompleteExpiresAt,
      ...(sub.status === 'paused' || sub.pause === null ? {} : { pauseAt: sub.pause.at }),
      ...(sub.status !== 'paused' || sub.pause?.resumesAt == null ? {} : { resumesAt: sub.pause.resumesAt }),
      ...(sub.collectionResumesAt === null ? {} : { collectionResumesAt: sub.collectionResumesAt }),
      pendingUpdate: sub.pendingUpdate === null ? null : { invoiceId: sub.pendingUpdate.invoiceId, expiresAt: sub.pendingUpdate.expiresAt },
      ...(sub.status === 'trialing' && sub.trial !== null ? { trial: { end: sub.trial.end, remindAt: sub.trial.remindAt } } : {}),
    };
  }

  private awaited({ dueDate, isOverdue, autoAdvance }: FakeInvoice): Pick<DunningFacts, 'awaited'> {
    return dueDate === null ? {} : { awaited: { dueDate, isOverdue, givesUp: autoAdvance } };
  }

  private invoiceFacts({ id, status, amount, taxPending, autoAdvance, finalizesAt, dueDate }: FakeInvoice): InvoiceFacts {
    const ofDraft = taxPending ? 'calculate_tax' : finalizesAt === null ? 'nothing' : 'finalize';
    const next = !autoAdvance
      ? 'nothing'
      : status === 'draft'
        ? ofDraft
        : status === 'open'
          ? dueDate === null
            ? 'collect'
            : 'await_payment'
          : 'nothing';
    return {
      id,
      number: null,
      status,
      amountDue: amount,
      amountRemaining: status === 'open' ? amount : 0,
      currency: 'eur',
      next,
      ...(finalizesAt === null ? {} : { finalizesAt }),
      ...(dueDate === null || status !== 'open' ? {} : { dueDate }),
    };
  }

  private paymentResult(invoice: FakeInvoice, attempt: Attempt | null, outcome: PaymentOutcomeKind): PaymentResult {
    const sub = this.sub(invoice.subscriptionId);
    if (outcome === 'no_payment_method' && sub.status === 'active' && !invoice.isUpdate) sub.status = 'past_due';
    return {
      outcome,
      attemptNumber: attempt?.number ?? 0,
      attemptId: attempt === null ? null : `pa_${invoice.id}_${attempt.number}`,
      declineCode: attempt?.declineCode ?? null,
      invoice: this.invoiceFacts(invoice),
      subscription: this.subscriptionFacts(sub),
    };
  }
}

function startTrial(
  sub: Sub,
  { asOf, trial, trialMissingPaymentMethod: missing = 'create_invoice' }: CreateSubscription & { asOf: Instant },
): void {
  if (trial === undefined) return;
  const end = 'days' in trial ? asOf + trial.days * DAY : trial.end === 'now' ? asOf : trial.end;
  sub.trial = { start: asOf, end, remindAt: Math.max(asOf, end - 3 * DAY), missing };
  sub.anchor = end;
  sub.n = -1;
}

const refusal = (type: RefusalCode): ApplicationFailure =>
  ApplicationFailure.create({ type, message: `refused: ${type}`, nonRetryable: true, details: [{ param: null }] });
