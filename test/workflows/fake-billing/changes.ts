import type { Activities } from '../../../activities/index.ts';
import { DAY, type FakeBook, HOUR, PRICES, refusal } from './book.ts';

/** Changes of a subscription: now, later, and pending until they are paid. */
export const changeVerbs = (book: FakeBook) =>
  ({
    changePlan: async (input) =>
      book.once('changePlan', input, () => {
        const sub = book.living(input.subscriptionId);
        if (sub.pendingUpdate !== null) throw refusal('pending_update_exists');
        if (input.effectiveAt !== undefined) {
          const effectiveAt = input.effectiveAt === 'period_end' ? null : input.effectiveAt;
          if (effectiveAt !== null && effectiveAt <= input.asOf) throw refusal('date_out_of_range');
          sub.scheduled.push({ id: `schg_${input.operationId}`, effectiveAt, change: input });
          return book.outcome(sub, null);
        }
        const period = book.period(sub);
        if (input.asOf < period.start || input.asOf >= period.end) throw new Error(`changed at ${input.asOf}, outside its period`);
        if (input.trialEnd === 'now') {
          Object.assign(sub, { status: 'active', anchor: input.asOf, n: 0 });
          return book.outcome(sub, book.bill(sub, 'update', book.priceOf(sub), book.period(sub)));
        }
        if (input.trialEnd !== undefined && sub.trial !== null) {
          sub.trial = { ...sub.trial, end: input.trialEnd, remindAt: Math.max(input.trialEnd - 3 * DAY, input.asOf) };
          sub.anchor = input.trialEnd;
          return book.outcome(sub, null);
        }
        if (input.pauseCollection !== undefined) sub.collectionResumesAt = input.pauseCollection?.resumesAt ?? null;
        const change = input.items?.find((item) => item.do === 'update');
        const next = { priceId: change?.priceId ?? sub.priceId, quantity: Number(change?.quantity ?? sub.quantity) };
        if (PRICES[next.priceId] === undefined) throw refusal('resource_missing');
        const left = (period.end - input.asOf) / (period.end - period.start);
        const amount = Math.round((book.priceOf({ ...sub, ...next }) - book.priceOf(sub)) * left);
        const waits = input.paymentBehavior === 'error_if_incomplete' || input.paymentBehavior === 'pending_if_incomplete';
        const invoice =
          input.items !== undefined && input.prorationBehavior === 'always_invoice'
            ? book.bill(sub, 'update', amount, { start: input.asOf, end: period.end })
            : null;
        if (waits && invoice !== null && amount > 0) {
          invoice.isUpdate = true;
          sub.pendingUpdate = { invoiceId: invoice.id, expiresAt: input.asOf + 23 * HOUR, ...next };
        } else Object.assign(sub, next);
        return book.outcome(sub, invoice);
      }),
    applyScheduledChange: async (input) =>
      book.once('applyScheduledChange', input, () => {
        const sub = book.living(input.subscriptionId);
        const scheduled = sub.scheduled.find(({ id }) => id === input.changeId);
        if (scheduled === undefined) return book.outcome(sub, null);
        const { start, end } = book.period(sub);
        if (input.asOf !== (scheduled.effectiveAt ?? end)) throw new Error(`applied at ${input.asOf}, not at its instant`);
        if (input.asOf < start || input.asOf > end) throw new Error(`applied at ${input.asOf}, outside its period`);
        sub.scheduled = sub.scheduled.filter((other) => other !== scheduled);
        const change = scheduled.change.items?.find((item) => item.do === 'update');
        const next = { priceId: change?.priceId ?? sub.priceId, quantity: Number(change?.quantity ?? sub.quantity) };
        if (PRICES[next.priceId] === undefined) return book.outcome(sub, null);
        const amount = Math.round((book.priceOf({ ...sub, ...next }) - book.priceOf(sub)) * ((end - input.asOf) / (end - start)));
        Object.assign(sub, next);
        const invoiced = scheduled.change.prorationBehavior === 'always_invoice' && input.asOf < end;
        return book.outcome(sub, invoiced ? book.bill(sub, 'update', amount, { start: input.asOf, end }) : null);
      }),
    cancelScheduledChange: async (input) =>
      book.once('cancelScheduledChange', input, () => {
        const sub = book.living(input.subscriptionId);
        if (!sub.scheduled.some(({ id }) => id === input.changeId)) throw refusal('transition_not_allowed');
        sub.scheduled = sub.scheduled.filter(({ id }) => id !== input.changeId);
        return book.outcome(sub, null);
      }),
    resolvePendingUpdate: async (input) =>
      book.once('resolvePendingUpdate', input, () => {
        const sub = book.living(input.subscriptionId);
        const pending = sub.pendingUpdate;
        if (pending === null) throw refusal('transition_not_allowed');
        const invoice = book.invoice(pending.invoiceId);
        if (input.apply) {
          if (invoice.status !== 'paid') throw new Error('applied before it was paid');
          sub.priceId = pending.priceId;
          sub.quantity = pending.quantity;
        } else invoice.status = 'void';
        sub.pendingUpdate = null;
        return book.outcome(sub, invoice);
      }),
  }) satisfies Partial<Activities>;
