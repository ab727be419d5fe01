import type { SubscriptionFacts } from '../../activities/index.ts';
import { hasThresholds } from '../../domain/subscription/has-thresholds.ts';
import type { SubscriptionRecord, UnsettledInvoice } from '../../domain/subscription/subscription-record.ts';
import { hasEnded } from '../../domain/subscription/transitions.ts';
import type { Instant } from '../../domain/time.ts';
import type { StartDunning } from '../messages.ts';
import type { ClockSetting, CollectionManner, OpenDraft, ParkedStep, SubscriptionState } from './state.ts';

/**
 * The state a subscription's workflow would have, from what is written in Postgres. What was being done when the workflow was lost is parked, due at once: every step has the
 * operation id it had, so one that was finished gives its first answer, and a payment whose outcome is not known is looked up. Boundaries that have passed are not its matter: the
 * loop works them off, each at its own instant. Pure.
 * @param facts of `record.subscription`, as activities give them
 */
export function restoreState(accountId: string, facts: SubscriptionFacts, record: SubscriptionRecord): SubscriptionState {
  const { subscription, generation, invoices, answered } = record;
  return {
    v: 1,
    generation,
    accountId,
    subscriptionId: subscription.id,
    customerId: subscription.customerId,
    clock: clockOf(record),
    facts,
    dunning: invoices.filter((invoice) => isChased(record, invoice)).map(({ id }) => id),
    answered,
    parked: invoices.flatMap((invoice) => unfinished(record, invoice)),
    drafts: invoices.flatMap(waiting),
    stalled: null,
    // Who tells of usage has told the run that is lost.
    ...(hasThresholds(subscription) ? { usage: { told: 0, looked: null, lookAt: 0 } } : {}),
  };
}

/** The dunnings of that state, each as its subscription would have started it. */
export const restoreDunning = (state: SubscriptionState, { invoices }: SubscriptionRecord): StartDunning[] =>
  invoices
    .filter(({ id }) => state.dunning.includes(id))
    .map((invoice) => ({
      accountId: state.accountId,
      ...(invoice.subscriptionIds
        ? { subscriptionId: null, subscriptionIds: invoice.subscriptionIds }
        : { subscriptionId: state.subscriptionId }),
      customerId: state.customerId,
      invoiceId: invoice.id,
      currency: state.facts.currency,
      planId: state.facts.planId,
      clock: state.clock.kind === 'real' ? state.clock : { kind: 'frozen', id: state.clock.id, at: state.clock.at },
      generation: state.generation,
      startedAt: chasedSince(invoice),
    }));

/** On a clock that was on its way, it stands at least where its period began. */
const clockOf = ({ clock, subscription }: SubscriptionRecord): ClockSetting =>
  clock === null ? { kind: 'real' } : { kind: 'frozen', id: clock.id, at: Math.max(clock.at, subscription.currentPeriodStart) };

const isUnresolved = ({ status }: UnsettledInvoice['attempts'][number]): boolean =>
  status === 'created' || status === 'processing' || status === 'unknown';

/** A try has failed, or there was nothing to try: from then on the invoice is dunning's. */
const hasFailed = ({ attempted, attempts }: UnsettledInvoice): boolean =>
  attempted && (attempts.length === 0 || attempts.some((attempt) => !isUnresolved(attempt)));

const chasedSince = ({ attempts, finalizedAt, createdAt }: UnsettledInvoice): Instant => {
  const failure = attempts.find((attempt) => !isUnresolved(attempt));
  return failure?.resolvedAt ?? failure?.createdAt ?? finalizedAt ?? createdAt;
};

/** As `chase` decides when a payment fails; dunning that gave up has taken `autoAdvance` away. */
function isChased({ subscription }: SubscriptionRecord, invoice: UnsettledInvoice): boolean {
  const { status, pendingUpdate } = subscription;
  if (hasEnded(status) || status === 'incomplete' || pendingUpdate?.invoiceId === invoice.id) return false;
  if (invoice.dueDate !== null) return invoice.status === 'open' && invoice.autoAdvance;
  if (invoice.status !== 'open' || !invoice.autoAdvance || !hasFailed(invoice)) return false;
  if (!mannerOf(invoice).collect) return false;
  // What failed before it was paused is chased on.
  return status !== 'unpaid' || invoice.nextPaymentAttempt !== null;
}

const mannerOf = ({ paymentBehavior }: UnsettledInvoice): CollectionManner => ({
  collect: paymentBehavior !== 'default_incomplete',
  dropIfDeclined: paymentBehavior === 'error_if_incomplete',
});

/** A draft in its grace period. */
const waiting = ({ id, status, taxStatus, automaticallyFinalizesAt: finalizesAt }: UnsettledInvoice): OpenDraft[] =>
  status !== 'draft' || finalizesAt === null
    ? []
    : [{ invoiceId: id, finalizesAt, next: taxStatus === 'pending' ? 'calculate_tax' : 'finalize' }];

/** What was left undone about an invoice that no dunning looks after: at most one step. */
function unfinished(record: SubscriptionRecord, invoice: UnsettledInvoice): ParkedStep[] {
  if (isChased(record, invoice)) return [];
  const last = invoice.attempts.at(-1);
  const park = (step: ParkedStep['step']): ParkedStep[] => [
    {
      invoiceId: invoice.id,
      step,
      since: invoice.createdAt,
      error: 'taken up again from the books',
      tries: 0,
      retryAt: invoice.createdAt,
      manner: mannerOf(invoice),
      attemptNumber: step === 'resolve_payment' ? (last?.number ?? 0) : 0,
    },
  ];
  const awaited = record.subscription.pendingUpdate?.invoiceId === invoice.id;
  switch (invoice.status) {
    case 'draft':
      if (!invoice.autoAdvance || invoice.automaticallyFinalizesAt !== null) return [];
      return park(invoice.taxStatus === 'pending' ? 'calculate_tax' : 'finalize_invoice');
    case 'open':
      // An attempt that was never sent goes on under the operation that began it.
      if (last !== undefined && isUnresolved(last)) return park(last.status === 'created' ? 'collect_payment' : 'resolve_payment');
      if (last !== undefined || invoice.attempted || invoice.dueDate !== null || !invoice.autoAdvance || !mannerOf(invoice).collect)
        return [];
      return park('collect_payment');
    case 'paid':
      return awaited ? park('apply_update') : [];
    default:
      return awaited ? park('drop_update') : [];
  }
}
