import { adjustMeterEvent, findUsed } from '../../db/adjust-meter-event.ts';
import { withAccount } from '../../db/client.ts';
import { metersByEventName } from '../../db/meters.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { type EventResult, type GivenEvent, isFault, type MeasuredEvent, readEvent, readValue } from '../../domain/usage/meter-event.ts';
import { route } from '../define-route.ts';
import { badRequest } from '../errors.ts';
import { conflictOf, presentBatch, presentMeterEvent } from '../presenters/meters.ts';
import * as schemas from '../schemas/meters.ts';

const tag = 'Meter events';
const EVENTS = '/v1/billing/meter_events';

/** What was used and reported, for the first time or again. */
const usedIn = (results: readonly EventResult[]): MeasuredEvent[] =>
  results.flatMap((result) => (result.status === 'accepted' || result.status === 'duplicate' ? [result.event] : []));

const identifierIn = (event: unknown): string | null => {
  const given = typeof event === 'object' && event !== null && 'identifier' in event ? event.identifier : null;
  return typeof given === 'string' ? given.slice(0, 100) : null;
};

export const meterEventRoutes = [
  route({
    tag,
    method: 'post',
    path: EVENTS,
    summary: 'Report usage; the answer comes when it is durable, and the same event again changes nothing',
    params: schemas.meterEventCreate,
    answer: schemas.meterEvent,
    kind: 'meter_event',
    handle: async (context, { params: { expand: _, ...params } }) => {
      const given = readEvent(params, () => context.newId(ID_PREFIX.meterEvent));
      if (isFault(given)) throw badRequest(given.message, given.param, given.code);
      const [result] = await context.recordMeterEvents(context.account.id, [given]);
      if (result === undefined) throw new Error('an event was not answered');
      if (result.status === 'invalid') throw badRequest(result.fault.message, result.fault.param, result.fault.code);
      if (result.status === 'conflict') throw badRequest(conflictOf(given.identifier), 'identifier', 'duplicate_meter_event');
      await context.reportUsage(context.account, usedIn([result]));
      return presentMeterEvent(given, result.event.at, context.now(), context.account.livemode);
    },
  }),
  route({
    tag,
    method: 'post',
    path: `${EVENTS}/batch`,
    summary: 'Report up to 1,000 events at once; each is answered on its own',
    params: schemas.meterEventBatch,
    answer: schemas.meterEventBatchAnswer,
    kind: 'meter_event_batch',
    listBody: 'events',
    handle: async (context, { params }) => {
      const read = params.events.map((event) => readEvent(event, () => context.newId(ID_PREFIX.meterEvent)));
      const good = read.filter((event): event is GivenEvent => !isFault(event));
      const recorded = good.length === 0 ? [] : await context.recordMeterEvents(context.account.id, good);
      await context.reportUsage(context.account, usedIn(recorded));
      let next = 0;
      const results = read.map((event): EventResult => {
        if (isFault(event)) return { status: 'invalid', fault: event };
        return recorded[next++] as EventResult;
      });
      return presentBatch(results, params.events.map(identifierIn), context.account.livemode);
    },
  }),
  route({
    tag,
    method: 'post',
    path: '/v1/billing/meter_event_adjustments',
    summary: 'Cancel an event, or give it another value',
    params: schemas.adjustmentCreate,
    answer: schemas.adjustment,
    kind: 'meter_event_adjustment',
    handle: async (context, { params }) => {
      const { event_name: eventName, type, cancel = null, correct = null } = params;
      const used = await withAccount(context.db, context.account.id, async (t) => {
        const meter = (await metersByEventName(t, [eventName])).get(eventName);
        if (meter === undefined) throw badRequest(`No meter measures events of the name '${eventName}'.`, 'event_name', 'resource_missing');
        const event = { meterId: meter.id, identifier: (correct ?? cancel)?.identifier ?? '' };
        const value = correct === null ? null : readValue(correct.value, meter);
        if (value !== null && isFault(value)) throw badRequest(value.message, 'correct[value]', value.code);
        const done = await adjustMeterEvent(t, event, value === null ? { do: 'cancel' } : { do: 'correct', ...value });
        const param = `${type}[identifier]`;
        if (done === 'missing') throw badRequest(`No such meter event: '${event.identifier}'`, param, 'resource_missing');
        if (done === 'canceled') throw badRequest(`The event '${event.identifier}' is cancelled.`, param, 'meter_event_canceled');
        return findUsed(t, event);
      });
      await context.reportUsage(context.account, used);
      return {
        object: 'billing.meter_event_adjustment',
        cancel,
        correct,
        event_name: eventName,
        livemode: context.account.livemode,
        status: 'complete',
        type,
      };
    },
  }),
];
