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
} from '../../../activities/index.ts';
import type { Cycle } from '../../../domain/catalog/price.ts';
import type { DunningPolicy } from '../../../domain/dunning/policy.ts';
import type { RefusalCode } from '../../../domain/errors.ts';
import type { InvoiceStatus } from '../../../domain/invoicing/invoice.ts';
import type { PaymentOutcomeKind } from '../../../domain/payments/payment.ts';
import type { ScheduleStatus } from '../../../domain/schedule/transitions.ts';
import type { ChangePlan } from '../../../domain/subscription/commands.ts';
import type { MissingPaymentMethod, SubscriptionStatus } from '../../../domain/subscription/subscription.ts';
import { boundary, type Instant } from '../../../domain/time.ts';

export interface Sub {
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
  reason: 'create' | 'cycle' | 'threshold' | 'update' | 'final' | 'top-up';
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

export interface Attempt {
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
export const PRICES: Record<string, { unit: number; cycle: Cycle }> = {
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
export class FakeBook {
  readonly subs = new Map<string, Sub>();
  readonly invoices: FakeInvoice[] = [];
  readonly attempts: Attempt[] = [];
  /** Every execution of an activity that reached the book, repeats included: "verb operation". */
  readonly calls: string[] = [];
  readonly asOf: Record<string, Instant> = {};
  readonly operations = new Map<string, unknown>();

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
  /** The number of the purchase of credit that is due, which is told by every look at what is used. */
  lowCredit: number | null = null;
  timezone = 'UTC';
  /** Seconds of the period of `price_second`, in place of its day. */
  secondsPerPeriod: number | null = null;
  policy: DunningPolicy = { retryDelays: [3 * DAY, 5 * DAY, 7 * DAY], hardDeclines: ['stolen_card'], terminalAction: 'cancel' };

  scheduleOutcome(outcome: BillingOutcome | null): ScheduleOutcome {
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

  once<R>(verb: keyof Activities, input: { operationId: string; asOf: Instant }, act: () => R): R {
    this.strike(verb);
    this.calls.push(`${verb} ${input.operationId}`);
    if (!this.operations.has(input.operationId)) {
      this.asOf[input.operationId] = input.asOf;
      this.operations.set(input.operationId, structuredClone(act()));
    }
    return structuredClone(this.operations.get(input.operationId)) as R;
  }

  strike(verb: keyof Activities): void {
    const code = this.refusals[verb];
    if (code !== undefined) throw refusal(code);
    const left = this.outages[verb] ?? 0;
    if (left === 0) return;
    this.outages[verb] = left - 1;
    throw new Error(`${verb} cannot reach the database`);
  }

  conclude(attempt: Attempt, charge: Charge): PaymentResult {
    const invoice = this.invoice(attempt.invoiceId);
    const sub = this.sub(invoice.subscriptionId);
    attempt.outcome = typeof charge === 'string' ? charge : 'declined';
    attempt.declineCode = typeof charge === 'string' ? (charge === 'declined' ? 'card_declined' : null) : charge.declined;
    if (attempt.outcome === 'paid') {
      invoice.status = 'paid';
      const owes = this.invoices.some((other) => other.subscriptionId === sub.id && other.status === 'open' && !other.isUpdate);
      if (sub.status === 'incomplete' || (sub.status === 'past_due' && !owes)) sub.status = 'active';
      sub.incompleteExpiresAt = null;
    } else if (
      !['unknown', 'processing'].includes(attempt.outcome) &&
      sub.status === 'active' &&
      !invoice.isUpdate &&
      invoice.reason !== 'top-up'
    )
      sub.status = 'past_due';
    return this.paymentResult(invoice, attempt, attempt.outcome);
  }

  /** Given back, or billed anew from now. */
  resume({ subscriptionId, asOf }: { subscriptionId: string; asOf: Instant }): BillingOutcome {
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

  bill(sub: Sub, reason: FakeInvoice['reason'], amount: number, period: FakeInvoice['period']): FakeInvoice {
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

  priceOf({ priceId, quantity }: Pick<Sub, 'priceId' | 'quantity'>): number {
    return (PRICES[priceId]?.unit ?? 0) * quantity;
  }

  period(sub: Sub): { start: Instant; end: Instant } {
    const { start, end } = this.planned(sub);
    return { start: start + sub.moved, end: end + sub.moved };
  }

  planned({ anchor, priceId, zone, n, trial }: Sub): { start: Instant; end: Instant } {
    if (n === -1 && trial !== null) return { start: trial.start, end: trial.end };
    if (this.secondsPerPeriod !== null) return { start: anchor + n * this.secondsPerPeriod, end: anchor + (n + 1) * this.secondsPerPeriod };
    const cycle = PRICES[priceId]?.cycle ?? { interval: 'month', intervalCount: 1 };
    return { start: boundary(anchor, cycle, zone, n), end: boundary(anchor, cycle, zone, n + 1) };
  }

  sub(id: string): Sub {
    const sub = this.subs.get(id);
    if (sub === undefined) throw refusal('resource_missing');
    return sub;
  }

  living(id: string): Sub {
    const sub = this.sub(id);
    if (sub.status === 'canceled' || sub.status === 'incomplete_expired') throw refusal('subscription_canceled');
    return sub;
  }

  invoice(id: string): FakeInvoice {
    const invoice = this.invoices.find((candidate) => candidate.id === id);
    if (invoice === undefined) throw refusal('resource_missing');
    return invoice;
  }

  outcome(sub: Sub, invoice: FakeInvoice | null): BillingOutcome {
    return {
      subscription: this.subscriptionFacts(sub),
      invoice: invoice === null ? null : this.invoiceFacts(invoice),
      ...(this.others.length === 0 || invoice === null ? {} : { others: this.others }),
    };
  }

  subscriptionFacts(sub: Sub): SubscriptionFacts {
    const facts = this.whatIsKnown(sub);
    const told = JSON.stringify(facts);
    if (told !== sub.told) Object.assign(sub, { revision: sub.revision + 1, told });
    return { ...facts, revision: sub.revision };
  }

  whatIsKnown(sub: Sub): Omit<SubscriptionFacts, 'revision'> {
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

  awaited({ dueDate, isOverdue, autoAdvance }: FakeInvoice): Pick<DunningFacts, 'awaited'> {
    return dueDate === null ? {} : { awaited: { dueDate, isOverdue, givesUp: autoAdvance } };
  }

  invoiceFacts({ id, status, amount, taxPending, autoAdvance, finalizesAt, dueDate }: FakeInvoice): InvoiceFacts {
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

  paymentResult(invoice: FakeInvoice, attempt: Attempt | null, outcome: PaymentOutcomeKind): PaymentResult {
    const sub = this.sub(invoice.subscriptionId);
    if (outcome === 'no_payment_method' && sub.status === 'active' && !invoice.isUpdate) sub.status = 'past_due';
    return {
      outcome,
      attemptNumber: attempt?.number ?? 0,
      attemptId: attempt === null ? null : `pa_${invoice.id}_${attempt.number}`,
      declineCode: attempt?.declineCode ?? null,
      invoice: this.invoiceFacts(invoice),
      subscription: invoice.reason === 'top-up' ? null : this.subscriptionFacts(sub),
    };
  }
}

export const refusal = (type: RefusalCode): ApplicationFailure =>
  ApplicationFailure.create({ type, message: `refused: ${type}`, nonRetryable: true, details: [{ param: null }] });
