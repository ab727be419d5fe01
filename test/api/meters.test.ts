import { afterAll, beforeAll, expect, test } from 'vitest';
import { START } from './examples.ts';
import { type Api, refused, seed, startApi } from './harness.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await seed(api.db, 'acct_1');
});
afterAll(() => api.stop());

const NOON = START - (START % 3600);
const customer = 'cus_1';

test('a meter is created, renamed, listed, deactivated and reactivated by the official client', async () => {
  const meter = await api.stripe.billing.meters.create({
    display_name: 'Tokens',
    event_name: 'tokens',
    default_aggregation: { formula: 'max' },
    customer_mapping: { type: 'by_id', event_payload_key: 'who' },
    value_settings: { event_payload_key: 'amount' },
    event_time_window: 'hour',
  });
  expect(meter).toMatchObject({
    id: expect.stringMatching(/^mtr_/),
    object: 'billing.meter',
    status: 'active',
    status_transitions: { deactivated_at: null },
    value_settings: { event_payload_key: 'amount' },
    filters: {},
    group_by: [],
  });
  expect(await api.stripe.billing.meters.update(meter.id, { display_name: 'Words' })).toMatchObject({ display_name: 'Words' });
  expect(await api.stripe.billing.meters.deactivate(meter.id)).toMatchObject({
    status: 'inactive',
    status_transitions: { deactivated_at: START + 60 },
  });
  expect((await api.stripe.billing.meters.list({ status: 'inactive' })).data).toEqual([await api.stripe.billing.meters.retrieve(meter.id)]);
  const other = await api.stripe.billing.meters.create({
    display_name: 'x',
    event_name: 'tokens',
    default_aggregation: { formula: 'sum' },
  });
  expect(await refused(api.stripe.billing.meters.reactivate(meter.id))).toMatchObject({ statusCode: 400, code: 'resource_already_exists' });
  await api.stripe.billing.meters.deactivate(other.id);
  expect(await api.stripe.billing.meters.reactivate(meter.id)).toMatchObject({ status: 'active' });
  const events = await api.stripe.events.list({ limit: 10 });
  expect(events.data.filter(({ type }) => type.startsWith('billing.meter.')).map(({ type }) => type)).toEqual([
    'billing.meter.reactivated',
    'billing.meter.deactivated',
    'billing.meter.created',
    'billing.meter.deactivated',
    'billing.meter.updated',
    'billing.meter.created',
  ]);
});

test('events one by one: again is the same, other content is refused; many at once are written together', async () => {
  const event = { event_name: 'calls', payload: { stripe_customer_id: customer, value: '2' }, identifier: 'one', timestamp: NOON };
  const created = await api.stripe.billing.meterEvents.create(event);
  expect(created).toEqual(expect.objectContaining({ object: 'billing.meter_event', livemode: false, created: START + 60, ...event }));
  expect(await api.stripe.billing.meterEvents.create(event)).toMatchObject(event);
  expect(await refused(api.stripe.billing.meterEvents.create({ ...event, timestamp: NOON + 1 }))).toMatchObject({
    statusCode: 400,
    code: 'duplicate_meter_event',
    param: 'identifier',
  });
  const many = Array.from({ length: 30 }, () => api.stripe.billing.meterEvents.create({ ...event, identifier: undefined as never }));
  const identifiers = (await Promise.all(many)).map(({ identifier }) => identifier);
  expect(new Set(identifiers).size).toBe(30);
  const summaries = await api.stripe.billing.meters.listEventSummaries('mtr_1', { customer, start_time: NOON, end_time: NOON + 3600 });
  expect(summaries.data).toMatchObject([{ object: 'billing.meter_event_summary', aggregated_value: 62, meter: 'mtr_1', start_time: NOON }]);
});

test('a batch answers each of its events, as a hash, as a list and as lines', async () => {
  const event = (identifier: string, value = '1') => ({
    event_name: 'calls',
    payload: { stripe_customer_id: customer, value },
    identifier,
    timestamp: NOON - 7200,
  });
  const send = (body: string, type = 'application/json') =>
    api.request('POST', '/v1/billing/meter_events/batch', { body, headers: { 'content-type': type } });
  const first = await send(
    JSON.stringify({ events: [event('a'), event('a'), event('a', '2'), event('b', 'x'), 'nothing', { identifier: 'c' }] }),
  );
  expect(first).toMatchObject({
    status: 200,
    body: {
      object: 'billing.meter_event_batch',
      accepted: 1,
      duplicate: 1,
      conflict: 1,
      invalid: 3,
      results: [
        { status: 'accepted', identifier: 'a' },
        { status: 'duplicate', identifier: 'a' },
        { status: 'conflict', identifier: 'a', error: { code: 'duplicate_meter_event', param: 'identifier' } },
        { status: 'invalid', identifier: 'b', error: { code: 'meter_event_invalid_value', param: 'payload[value]' } },
        { status: 'invalid', identifier: null, error: { param: '' } },
        { status: 'invalid', identifier: 'c', error: { code: 'parameter_missing', param: 'event_name' } },
      ],
    },
  });
  expect((await send(JSON.stringify([event('a'), event('d')]))).body).toMatchObject({ accepted: 1, duplicate: 1 });
  const lines = [event('d'), event('e')].map((one) => JSON.stringify(one)).join('\n');
  expect((await send(`${lines}\n`, 'application/x-ndjson')).body).toMatchObject({ accepted: 1, duplicate: 1 });
  expect(await send(`${lines}\n{`, 'application/x-ndjson')).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('line 3') } },
  });
  expect(await send(JSON.stringify(Array.from({ length: 1001 }, () => event('a'))))).toMatchObject({
    status: 400,
    body: { error: { param: 'events' } },
  });
  const long = Array.from({ length: 1000 }, (_, index) => ({
    ...event(`l${index}`),
    payload: { ...event('').payload, note: 'x'.repeat(300) },
  }));
  expect((await send(JSON.stringify(long))).body).toMatchObject({ accepted: 1000 });
  expect(
    (await api.request('POST', '/v1/billing/meters', { body: '[]', headers: { 'content-type': 'application/x-ndjson' } })).status,
  ).toBe(415);
});

test('events are cancelled and corrected', async () => {
  const at = NOON - 36_000;
  for (const [identifier, value] of [
    ['x', '10'],
    ['y', '5'],
  ] as const)
    await api.stripe.billing.meterEvents.create({
      event_name: 'calls',
      payload: { stripe_customer_id: customer, value },
      identifier,
      timestamp: at,
    });
  const used = async () =>
    (await api.stripe.billing.meters.listEventSummaries('mtr_1', { customer, start_time: at, end_time: at + 3600 })).data[0]
      ?.aggregated_value;
  expect(
    await api.stripe.billing.meterEventAdjustments.create({ event_name: 'calls', type: 'cancel', cancel: { identifier: 'x' } }),
  ).toMatchObject({
    object: 'billing.meter_event_adjustment',
    status: 'complete',
    type: 'cancel',
    cancel: { identifier: 'x' },
  });
  expect(await used()).toBe(5);
  const correction = await api.stripe.rawRequest('POST', '/v1/billing/meter_event_adjustments', {
    event_name: 'calls',
    type: 'correct',
    correct: { identifier: 'y', value: '7.5' },
  });
  expect(correction).toMatchObject({ type: 'correct', correct: { identifier: 'y', value: '7.5' }, cancel: null });
  expect(await used()).toBe(7.5);
});

test('usage is told per hour and day, newest first, page by page', async () => {
  const day = NOON - (NOON % 86_400) - 20 * 86_400;
  for (const hour of [0, 1, 30])
    await api.stripe.billing.meterEvents.create({
      event_name: 'calls',
      payload: { stripe_customer_id: customer, value: String(hour + 1) },
      timestamp: day + hour * 3600,
    });
  const range = { customer, start_time: day, end_time: day + 2 * 86_400 };
  const days = await api.stripe.billing.meters.listEventSummaries('mtr_1', { ...range, value_grouping_window: 'day' });
  expect(days.data.map(({ aggregated_value }) => aggregated_value)).toEqual([31, 3]);
  const hours: number[] = [];
  for await (const { aggregated_value } of api.stripe.billing.meters.listEventSummaries('mtr_1', {
    ...range,
    value_grouping_window: 'hour',
    limit: 20,
  }))
    hours.push(aggregated_value);
  expect(hours).toHaveLength(48);
  expect([hours[47], hours[46], hours[17]]).toEqual([1, 2, 31]);
});
