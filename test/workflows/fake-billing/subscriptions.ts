import type { Activities } from '../../../activities/index.ts';
import type { CreateSubscription } from '../../../domain/subscription/commands.ts';
import type { Instant } from '../../../domain/time.ts';
import { aSubscription } from '../../api/examples.ts';
import { DAY, type FakeBook, HOUR, PRICES, refusal, type Sub } from './book.ts';

/** The life of a subscription without its changes: it begins, renews and ends. */
export const subscriptionVerbs = (book: FakeBook) =>
  ({
    createSubscription: async (input) =>
      book.once('createSubscription', input, () => {
        const item = input.items[0];
        if (item === undefined) throw refusal('parameter_missing');
        if (PRICES[item.priceId] === undefined) throw refusal('resource_missing');
        const sub: Sub = {
          id: input.subscriptionId,
          status: 'incomplete',
          priceId: item.priceId,
          quantity: Number(item.quantity),
          anchor: input.asOf,
          zone: input.billingTimezone ?? book.timezone,
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
        book.subs.set(sub.id, sub);
        const invoice = book.bill(sub, 'create', sub.trial === null ? book.priceOf(sub) : 0, book.period(sub));
        if (sub.trial !== null) sub.status = 'trialing';
        else if (book.daysUntilDue !== null) Object.assign(sub, { status: 'active', incompleteExpiresAt: null });
        return book.outcome(sub, invoice);
      }),
    issueInvoice: async (input) =>
      book.once('issueInvoice', input, () => {
        const sub = book.living(input.subscriptionId);
        if (sub.cancelAt !== null && sub.cancelAt <= input.asOf) {
          sub.status = 'canceled';
          return book.outcome(sub, null);
        }
        if (input.asOf !== book.period(sub).end) throw new Error(`renewed at ${input.asOf}, not at ${book.period(sub).end}`);
        if (sub.trial !== null && sub.n === -1 && !book.canPay && sub.trial.missing !== 'create_invoice') {
          sub.status = sub.trial.missing === 'pause' ? 'paused' : 'canceled';
          return book.outcome(sub, null);
        }
        if (sub.n === -1) sub.status = 'active';
        sub.n += 1;
        return book.outcome(sub, book.bill(sub, 'cycle', book.priceOf(sub), book.period(sub)));
      }),
    billThreshold: async (input) => {
      const sub = book.living(input.subscriptionId);
      // As the real one: what is nothing is not written down.
      if (book.used < book.threshold && !book.operations.has(input.operationId)) {
        book.strike('billThreshold');
        book.calls.push(`billThreshold ${input.operationId}`);
        const low = book.lowCredit === null ? {} : { lowCredit: { topUpId: 'crtopup_1', number: book.lowCredit } };
        return { ...book.outcome(sub, null), ...low };
      }
      return book.once('billThreshold', input, () => {
        const amount = book.used;
        book.used = 0;
        sub.revision += 1;
        return book.outcome(sub, book.bill(sub, 'threshold', amount, { start: input.asOf, end: input.asOf }));
      });
    },
    topUpCredits: async (input) =>
      book.once('topUpCredits', input, () => {
        book.lowCredit = null;
        const period = { start: input.asOf, end: input.asOf };
        return { invoice: book.invoiceFacts(book.bill(book.living(input.subscriptionId), 'top-up', 2000, period)) };
      }),
    remindOfTrialEnd: async (input) =>
      book.once('remindOfTrialEnd', input, () => {
        const sub = book.living(input.subscriptionId);
        if (sub.trial?.remindAt === input.asOf) sub.trial.remindAt = null;
        return book.outcome(sub, null);
      }),
    scheduleCancellation: async (input) =>
      book.once('scheduleCancellation', input, () => {
        const sub = book.living(input.subscriptionId);
        sub.cancelAt = input.at === 'never' ? null : typeof input.at === 'string' ? book.period(sub).end : input.at;
        return book.outcome(sub, null);
      }),
    reactivateSubscription: async (input) =>
      book.once('reactivateSubscription', input, () => {
        const sub = book.sub(input.subscriptionId);
        if (sub.status !== 'canceled') throw refusal('transition_not_allowed');
        sub.status = 'active';
        if (input.asOf < book.period(sub).end) return book.outcome(sub, null);
        while (book.period(sub).end <= input.asOf) sub.n += 1;
        return book.outcome(sub, book.bill(sub, 'update', book.priceOf(sub), { start: input.asOf, end: book.period(sub).end }));
      }),
    loadSubscription: async ({ subscriptionId }) => {
      book.strike('loadSubscription');
      const sub = book.sub(subscriptionId);
      const subscription = aSubscription({ id: sub.id, status: sub.status, currentPeriodStart: book.period(sub).start });
      return { facts: book.subscriptionFacts(sub), record: { subscription, generation: 1, clock: null, invoices: [], answered: [] } };
    },
    cancelSubscription: async (input) =>
      book.once('cancelSubscription', input, () => {
        const sub = book.living(input.subscriptionId);
        const period = book.period(sub);
        if (input.asOf >= period.end) throw new Error('cancelled after the end of a period that was not renewed');
        sub.status = 'canceled';
        const invoice = input.invoiceNow ? book.bill(sub, 'final', 700, { start: period.start, end: input.asOf }) : null;
        return book.outcome(sub, invoice);
      }),
    expireSubscription: async (input) =>
      book.once('expireSubscription', input, () => {
        const sub = book.living(input.subscriptionId);
        if (sub.status !== 'incomplete') throw refusal('transition_not_allowed');
        sub.status = 'incomplete_expired';
        for (const invoice of book.invoices) if (invoice.status === 'open' || invoice.status === 'draft') invoice.status = 'void';
        return book.outcome(sub, book.invoices[0] ?? null);
      }),
  }) satisfies Partial<Activities>;

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
