import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findCustomer } from '../../db/customers.ts';
import { findMeter, insertMeter, listMeters, metersByEventName, updateMeter } from '../../db/meters.ts';
import { readUsage } from '../../db/read-usage.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import type { Period } from '../../domain/invoicing/invoice.ts';
import { quantityOf } from '../../domain/usage/measure.ts';
import type { Meter } from '../../domain/usage/meter.ts';
import type { RequestContext } from '../context.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentMeter, presentSummary } from '../presenters/meters.ts';
import { listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/meters.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Meters', answer: schemas.meter, kind: 'meter' } as const;
const LIST = '/v1/billing/meters';
const SECONDS = { hour: 3600, day: 86_400 } as const;
/** Of one range of summaries. */
const MAX_WINDOWS = 10_000;

async function meterOf(t: AccountTransaction, id: string): Promise<Meter> {
  const meter = await findMeter(t, id);
  if (meter === null) throw notFound('billing meter', id);
  return meter;
}

/** @throws ApiError 400 where another meter measures these events */
async function mustBeFree(t: AccountTransaction, eventName: string): Promise<void> {
  const present = (await metersByEventName(t, [eventName])).get(eventName);
  if (present?.status !== 'active') return;
  throw badRequest(`The meter ${present.id} measures events of the name '${eventName}' already.`, 'event_name', 'resource_already_exists');
}

async function change(
  context: RequestContext,
  id: string,
  verb: 'updated' | 'deactivated' | 'reactivated',
  patchOf: (meter: Meter) => Partial<Meter>,
) {
  return withAccount(context.db, context.account.id, async (t) => {
    const before = await meterOf(t, id);
    const patch = patchOf(before);
    if (Object.keys(patch).length === 0) return presentMeter(before, context.account.livemode);
    if (patch.status === 'active') await mustBeFree(t, before.eventName);
    const after = (await updateMeter(t, id, { ...patch, updatedAt: context.now() })) ?? before;
    await tell(context, t, { type: `billing.meter.${verb}`, objectType: 'meter', before, after });
    return presentMeter(after, context.account.livemode);
  });
}

/** The windows of a range, newest first, as Stripe lists them; the range itself where none is asked for. */
function windowsOf({ start, end }: Period, window: 'hour' | 'day' | undefined): Period[] {
  if (window === undefined) return [{ start, end }];
  const step = SECONDS[window];
  const count = Math.ceil((end - start) / step);
  if (count > MAX_WINDOWS) throw badRequest(`The range has more than ${MAX_WINDOWS} windows.`, 'end_time');
  return Array.from({ length: count }, (_, index) => ({ start: end - (index + 1) * step, end: end - index * step }));
}

export const meterRoutes = [
  route({
    ...one,
    method: 'post',
    path: LIST,
    summary: 'Create a meter',
    params: schemas.meterCreate,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        await mustBeFree(t, params.event_name);
        const now = context.now();
        const meter: Meter = {
          id: context.newId(ID_PREFIX.meter),
          displayName: params.display_name,
          eventName: params.event_name,
          formula: params.default_aggregation.formula,
          customerKey: params.customer_mapping?.event_payload_key ?? 'stripe_customer_id',
          valueKey: params.value_settings?.event_payload_key ?? 'value',
          eventTimeWindow: params.event_time_window ?? null,
          filters: params.filters ?? {},
          groupBy: params.group_by ?? [],
          status: 'active',
          deactivatedAt: null,
          createdAt: now,
          updatedAt: now,
        };
        await insertMeter(t, meter);
        await tell(context, t, { type: 'billing.meter.created', objectType: 'meter', after: meter });
        return presentMeter(meter, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: LIST,
    summary: 'List meters',
    params: schemas.meterList,
    answer: listOf(schemas.meter),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listMeters(t, { ...pageOf(params), ...(params.status === undefined ? {} : { status: params.status }) });
        return listAnswer(
          LIST,
          page.items.map((meter) => presentMeter(meter, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: `${LIST}/:id`,
    summary: 'Retrieve a meter',
    params: schemas.meterRetrieve,
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => presentMeter(await meterOf(t, id), context.account.livemode)),
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id`,
    summary: 'Rename a meter (what it measures never changes)',
    params: schemas.meterUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      change(context, id, 'updated', () => (params.display_name === undefined ? {} : { displayName: params.display_name })),
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id/deactivate`,
    summary: 'Deactivate a meter: it takes no events; what it has measured is still billed',
    params: schemas.meterRetrieve,
    handle: (context, { path: { id = '' } }) =>
      change(context, id, 'deactivated', ({ status }) =>
        status === 'inactive' ? {} : { status: 'inactive', deactivatedAt: context.now() },
      ),
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id/reactivate`,
    summary: 'Reactivate a meter',
    params: schemas.meterRetrieve,
    handle: (context, { path: { id = '' } }) =>
      change(context, id, 'reactivated', ({ status }) => (status === 'active' ? {} : { status: 'active', deactivatedAt: null })),
  }),
  route({
    ...one,
    method: 'get',
    path: `${LIST}/:id/event_summaries`,
    summary: 'What a customer has used in a range of time, whole or per hour or day',
    params: schemas.summaryList,
    answer: schemas.summaries,
    kind: 'meter_event_summary',
    list: true,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const meter = await meterOf(t, id);
        const customer = await findCustomer(t, params.customer);
        if (customer === null) throw notFound('customer', params.customer, 'customer');
        const range = { start: params.start_time, end: params.end_time };
        const aligned = params.value_grouping_window === undefined ? 60 : SECONDS[params.value_grouping_window];
        for (const [param, at] of [
          ['start_time', range.start],
          ['end_time', range.end],
        ] as const)
          if (at % aligned !== 0)
            throw badRequest(
              `Invalid ${param}: it must be aligned with the ${aligned === 60 ? 'minute' : params.value_grouping_window}, in UTC.`,
              param,
            );
        if (range.end <= range.start) throw badRequest('Invalid end_time: it must be after start_time.', 'end_time');
        const unknown = Object.keys(params.filter ?? {}).find((key) => !meter.groupBy.includes(key));
        if (unknown !== undefined) throw badRequest(`The meter does not group by '${unknown}'.`, `filter[${unknown}]`);
        const windows = windowsOf(range, params.value_grouping_window);
        const { startingAfter, endingBefore, limit } = pageOf(params);
        const ends = windows.map(({ end }) => String(end));
        const cursor = ends.indexOf((startingAfter ?? endingBefore)?.split('_').at(-1) ?? '');
        if (cursor === -1 && (startingAfter ?? endingBefore) !== undefined)
          throw notFound(
            'meter event summary',
            startingAfter ?? endingBefore ?? '',
            startingAfter === undefined ? 'ending_before' : 'starting_after',
          );
        const from = endingBefore === undefined ? cursor + 1 : Math.max(0, cursor - limit);
        const page = windows.slice(from, endingBefore === undefined ? from + limit : Math.max(0, cursor));
        const asked = page.map((window) => ({
          ...window,
          meterId: id,
          formula: meter.formula,
          customerId: customer.id,
          groups: params.filter ?? {},
          through: null,
          terms: null,
        }));
        const { totals } = await readUsage(t, asked);
        return listAnswer(
          `${LIST}/${id}/event_summaries`,
          page.map((window, index) => {
            const found = totals[index];
            return presentSummary(
              { meterId: id, ...window, quantity: found === undefined ? '0' : quantityOf(meter.formula, found, window) },
              context.account.livemode,
            );
          }),
          endingBefore === undefined ? from + limit < windows.length : from > 0,
        );
      }),
  }),
];
