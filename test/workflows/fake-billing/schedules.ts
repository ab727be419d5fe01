import type { Activities } from '../../../activities/index.ts';
import { boundary } from '../../../domain/time.ts';
import { type FakeBook, type FakeScheduleEdit, HOUR, refusal, type Sub } from './book.ts';

/** Schedules and quotes, of which there is one each. */
export const scheduleVerbs = (book: FakeBook) =>
  ({
    expireQuote: async ({ asOf }) => {
      book.strike('expireQuote');
      book.calls.push(`expireQuote ${asOf}`);
      return { expiresAt: book.quoteExpiresAt > asOf ? book.quoteExpiresAt : null };
    },
    editSchedule: async (input) =>
      book.once('editSchedule', input, () => {
        const edit = JSON.parse(input.editId) as FakeScheduleEdit;
        if (edit.do === 'plan') {
          book.schedule = { id: input.scheduleId, status: 'not_started', startsAt: edit.startsAt, prices: edit.prices };
        } else {
          if (book.schedule?.status !== 'not_started') throw refusal('transition_not_allowed');
          book.schedule.status = edit.do;
        }
        return book.scheduleOutcome(null);
      }),
    startSchedule: async (input) =>
      book.once('startSchedule', input, () => {
        const { schedule } = book;
        if (schedule?.status !== 'not_started') return book.scheduleOutcome(null);
        if (schedule.startsAt !== input.asOf) throw new Error(`started at ${input.asOf}, not at ${schedule.startsAt}`);
        const [first, ...later] = schedule.prices;
        if (first === undefined) {
          schedule.status = 'canceled';
          return book.scheduleOutcome(null);
        }
        schedule.status = 'active';
        const sub: Sub = {
          ...{
            id: input.subscriptionId,
            status: 'incomplete',
            priceId: first,
            quantity: 1,
            anchor: input.asOf,
            zone: book.timezone,
            n: 0,
          },
          ...{ cancelAt: null, incompleteExpiresAt: input.asOf + 23 * HOUR, pendingUpdate: null, trial: null, pause: null, moved: 0 },
          ...{ collectionResumesAt: null, scheduled: [], revision: 0, told: '' },
        };
        book.subs.set(sub.id, sub);
        const { end } = book.period(sub);
        sub.scheduled = later.map((priceId, index) => ({
          id: `schg_${index + 1}`,
          effectiveAt: boundary(input.asOf, { interval: 'month', intervalCount: 1 }, book.timezone, index + 1),
          change: {
            items: [{ do: 'update', itemId: 'si_1', priceId }],
            prorationBehavior: 'none',
            paymentBehavior: 'allow_incomplete',
          },
        }));
        return book.scheduleOutcome(book.outcome(sub, book.bill(sub, 'create', book.priceOf(sub), { start: input.asOf, end })));
      }),
  }) satisfies Partial<Activities>;
