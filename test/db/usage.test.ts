import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Commands } from '../../api/commands.ts';
import { usageReport } from '../../api/report-usage.ts';
import { type Adjustment, adjustMeterEvent } from '../../db/adjust-meter-event.ts';
import { loadSnapshot } from '../../db/billing-snapshot.ts';
import { insertMeter, updateMeter } from '../../db/meters.ts';
import { readUsage, type UsageQuery } from '../../db/read-usage.ts';
import { recordMeterEvents } from '../../db/record-meter-events.ts';
import { findSubscription } from '../../db/subscriptions.ts';
import { quantityOf } from '../../domain/usage/measure.ts';
import { FORMULAS, type Formula } from '../../domain/usage/meter.ts';
import type { GivenEvent } from '../../domain/usage/meter-event.ts';
import type { UsagePeriod } from '../../domain/usage/usage-period.ts';
import { aMeter, anAccount, aSubscription, START } from '../api/examples.ts';
import { feesOf } from '../support/memory-usage.ts';
import { creation, openWorld, type World, record as write } from './world.ts';

const HOUR = 3600;
const NOON = START - (START % HOUR);
let world: World;
beforeAll(async () => {
  world = await openWorld();
  for (const n of [1, 2])
    for (const formula of FORMULAS)
      await world.as(`acct_${n}`, (t) =>
        insertMeter(t, aMeter({ id: `mtr_${formula}_${n}`, eventName: formula, formula, groupBy: ['region'] })),
      );
});
afterAll(() => world.close());

let count = 0;
const given = (eventName: string, value: string, at: number, identifier = `e${(count += 1)}`, n = 1, region = 'eu'): GivenEvent => ({
  eventName,
  payload: { stripe_customer_id: `cus_${n}`, value, region },
  identifier,
  timestamp: at,
});
const record = async (events: readonly GivenEvent[], n = 1): Promise<string[]> =>
  (await world.as(`acct_${n}`, (t) => recordMeterEvents(t, events, START))).map(({ status }) => status);

async function used(
  formula: Formula,
  start: number,
  end: number,
  through: number | null = null,
  groups: Record<string, string> = {},
  n = 1,
) {
  const query = { meterId: `mtr_${formula}_${n}`, formula, customerId: `cus_${n}`, groups, start, end, through, terms: null };
  const { totals, watermark } = await world.as(`acct_${n}`, (t) => readUsage(t, [query]));
  return { quantity: quantityOf(formula, totals[0] as (typeof totals)[0], { start, end }), watermark };
}
const quantity = async (...args: Parameters<typeof used>): Promise<string> => (await used(...args)).quantity;

test('an event counts once, in its batch, in later ones and in many at once', async () => {
  const one = given('sum', '5', NOON);
  expect(await record([one, one, { ...one, payload: { ...one.payload, value: '6' } }])).toEqual(['accepted', 'duplicate', 'conflict']);
  expect(await record([given('sum', '1', NOON), one, { ...one, timestamp: NOON + 1 }])).toEqual(['accepted', 'duplicate', 'conflict']);
  const many = Array.from({ length: 50 }, (_, index) => given('sum', '1', NOON + index, `same${index}`));
  const answers = await Promise.all(Array.from({ length: 6 }, (_, index) => record(many.slice(index))));
  expect(answers.flat().filter((status) => status === 'accepted')).toHaveLength(50);
  expect(answers.flat().every((status) => status !== 'conflict' && status !== 'invalid')).toBe(true);
  expect(await quantity('sum', NOON, NOON + HOUR)).toBe('56');
});

test('an account sees its own events only, under the same identifiers', async () => {
  expect(await record([given('sum', '7', NOON, 'shared')])).toEqual(['accepted']);
  expect(await record([given('sum', '9', NOON, 'shared', 2)], 2)).toEqual(['accepted']);
  expect(await record([given('sum', '9', NOON, 'x', 1)], 2)).toEqual(['invalid']);
  expect(await quantity('sum', NOON, NOON + HOUR, null, {}, 2)).toBe('9');
});

test('every formula over whole hours, over parts of them, and as it was at an earlier number', async () => {
  const start = NOON - 30 * HOUR;
  const values = ['4', '2.5', '8', '1', '3', '2.5', '6'];
  // Every 40 minutes, the last first.
  const events = (formula: string) => values.map((value, index) => given(formula, value, start + index * 2400)).reverse();
  const expected: Record<Formula, [whole: string, part: string]> = {
    sum: ['27', '12'],
    count: ['7', '3'],
    last: ['6', '3'],
    max: ['8', '8'],
    unique_count: ['6', '3'],
    // Levels 4, 6.5, 14.5, 15.5, 18.5, 21, 27 after 0, 40, 80 … minutes, to minute 300; the part is minutes 70 to 170.
    weighted_sum: ['16.066666666667', '14.5'],
  };
  for (const formula of FORMULAS) {
    await record(events(formula).slice(0, 4));
    await record(
      events(formula)
        .slice(4)
        .map((event, index) => ({ ...event, identifier: `second${index}` })),
    );
    const whole = await used(formula, start, start + 5 * HOUR);
    const [wholly, partly] = expected[formula];
    expect(whole.quantity, formula).toBe(wholly);
    expect(await quantity(formula, start + 70 * 60, start + 170 * 60), formula).toBe(partly);
    await record([given(formula, '100', start + 60)]);
    if (formula !== 'last') expect(await quantity(formula, start, start + 5 * HOUR), formula).not.toBe(wholly);
    expect(await quantity(formula, start, start + 5 * HOUR, whole.watermark), formula).toBe(wholly);
    expect(await quantity(formula, start + 70 * 60, start + 170 * 60, whole.watermark), formula).toBe(partly);
  }
});

test('a group alone, and all of them', async () => {
  const at = NOON - 50 * HOUR;
  await record([given('sum', '3', at, 'g1', 1, 'eu'), given('sum', '4', at, 'g2', 1, 'us'), given('sum', '5', at + 60, 'g3', 1, 'us')]);
  for (const end of [at + HOUR, at + 61]) {
    expect(await quantity('sum', at, end)).toBe('12');
    expect(await quantity('sum', at, end, null, { region: 'us' })).toBe('9');
    expect(await quantity('sum', at, end, null, { region: 'asia' })).toBe('0');
  }
});

test('a cancelled event counts no longer, a corrected one with its new value; what was known before stays known', async () => {
  const at = NOON - 70 * HOUR;
  const adjust = (formula: Formula, identifier: string, adjustment: Adjustment) =>
    world.as('acct_1', (t) => adjustMeterEvent(t, { meterId: `mtr_${formula}_1`, identifier }, adjustment));
  const correct = (value: string): Adjustment => ({ do: 'correct', value, uniqueValue: null });
  for (const formula of ['sum', 'max', 'last', 'weighted_sum'] as const) {
    await record([given(formula, '3', at, `${formula}1`), given(formula, '9', at + 1800, `${formula}2`)]);
    const before = await used(formula, at, at + HOUR);
    expect(await adjust(formula, `${formula}2`, correct('5'))).toBe('done');
    const between = await used(formula, at, at + HOUR);
    expect(await adjust(formula, `${formula}2`, correct('5.0'))).toBe('done');
    expect(await adjust(formula, `${formula}2`, { do: 'cancel' })).toBe('done');
    expect(await adjust(formula, `${formula}2`, { do: 'cancel' })).toBe('done');
    expect(await adjust(formula, `${formula}2`, correct('4'))).toBe('canceled');
    const totals = { sum: ['12', '8', '3'], max: ['9', '5', '3'], last: ['9', '5', '3'], weighted_sum: ['7.5', '5.5', '3'] }[formula];
    expect([before.quantity, between.quantity, await quantity(formula, at, at + HOUR)]).toEqual(totals);
    for (const known of [before, between]) expect(await quantity(formula, at, at + HOUR, known.watermark)).toBe(known.quantity);
    // Sent again, it stays what it was made.
    expect(await record([given(formula, '9', at + 1800, `${formula}2`)])).toEqual(['duplicate']);
    expect(await quantity(formula, at, at + HOUR)).toBe('3');
  }
  expect(await adjust('sum', 'never', { do: 'cancel' })).toBe('missing');
});

test('a meter that is deactivated takes nothing, and its name is free', async () => {
  await world.as('acct_2', (t) => updateMeter(t, 'mtr_max_2', { status: 'inactive', deactivatedAt: START }));
  expect(await record([given('max', '1', NOON, 'd1', 2)], 2)).toEqual(['invalid']);
  await world.as('acct_2', (t) => insertMeter(t, aMeter({ id: 'mtr_new_2', eventName: 'max' })));
  expect(await record([given('max', '1', NOON, 'd1', 2)], 2)).toEqual(['accepted']);
});

test('whole hours are read from the rollups by their index, and the events beside them by theirs', async () => {
  await world.admin.query(`
    insert into usage_rollups (account_id, meter_id, customer_id, hour, group_key, count, sum, moment, touched)
    select 'acct_1', 'mtr_count_1', 'cus_1', to_timestamp(h * 3600), '{}', 1, 1, 0, 1 from generate_series(1, 20000) h;
    insert into meter_events (account_id, meter_id, identifier, revision, sequence, customer_id, at, value, group_key, counted, digest)
    select 'acct_1', 'mtr_count_1', 'p' || h, 1, 1, 'cus_1', to_timestamp(h * 600), 1, '{}', true, '' from generate_series(1, 20000) h;
    analyze usage_rollups; analyze meter_events`);
  const plans = await world.as('acct_1', async (t) => {
    const texts: string[] = [];
    await t.run(`set local plan_cache_mode = 'force_generic_plan'`, []);
    await readUsage(
      {
        ...t,
        run: async (text, values) => {
          const { rows } = await t.run<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
          texts.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
          return { rows: [] } as never;
        },
      },
      [
        {
          meterId: 'mtr_count_1',
          formula: 'count',
          customerId: 'cus_1',
          groups: {},
          start: 3_600_100,
          end: 6_000_000,
          through: null,
          terms: null,
        },
      ],
    );
    return texts;
  });
  expect(plans.join('\n')).toMatch(/usage_rollups_pkey/);
  expect(plans.join('\n')).toMatch(/meter_events_in_time/);
  expect(plans.join('\n')).not.toMatch(/Seq Scan on (usage_rollups|meter_events)/);
});

test('each transaction is rated by itself, in the order of time, as it is now and as it was at an earlier number', async () => {
  const start = NOON - 60 * HOUR;
  const terms = { rate: '1.375', fixedAmount: 20, freeAmount: 3000, freeEvents: 2, minimumAmount: 45, maximumAmount: 300 };
  const values = [2500, 900, 100, -700, 90_000, 0, 12_345, 1, 4000];
  const events = values.map((value, index) => ({ at: start + index * 1500, value }));
  const meter = aMeter({ id: 'mtr_payments', eventName: 'payments' });
  await world.as('acct_1', (t) => insertMeter(t, meter));
  await record(events.map(({ at, value }) => given('payments', String(value), at)).reverse());
  const query = { meterId: meter.id, formula: 'sum' as const, customerId: 'cus_1', groups: {}, start, end: start + 5 * HOUR, terms };
  const read = (...queries: UsageQuery[]) => world.as('acct_1', (t) => readUsage(t, queries));
  const first = await read({ ...query, through: null }, { ...query, through: null, terms: null });
  expect(first.totals.map(({ sum, count, fees }) => [Number(sum), count, Number(fees)])).toEqual([
    [109_146, 9, Number(feesOf(events, terms))],
    [109_146, 9, 0],
  ]);
  await record([given('payments', '5000', start + 2000)]);
  const later = await read(
    { ...query, through: null },
    { ...query, through: first.watermark },
    { ...query, through: null, end: start + 3000 },
  );
  const grown = [...events, { at: start + 2000, value: 5000 }];
  expect(later.totals.map(({ fees }) => Number(fees))).toEqual(
    [grown, events, grown.filter(({ at }) => at < start + 3000)].map((part) => Number(feesOf(part, terms))),
  );
});

test("no usage of an item is billed twice; a stretch of no length is in nobody's way", async () => {
  await write(world, 'acct_1', creation(1, 'sub_metered'));
  const period = (id: string, start: number, end: number): UsagePeriod => ({
    id,
    subscriptionId: 'sub_metered',
    subscriptionItemId: 'si_sub_metered',
    priceId: 'price_1',
    start,
    end,
    quantity: '1.5',
    amount: 3,
    net: 3,
    watermark: 1,
    minimum: null,
    maximum: null,
    taxRateIds: [],
    invoiceId: null,
    invoiceLineId: null,
    invoiceItemId: null,
  });
  const bill = (...insert: UsagePeriod[]) => write(world, 'acct_1', { usage: { insert, change: [] } });
  await bill(period('up_1', START, START + 100), period('up_2', START + 50, START + 50), period('up_3', START + 100, START + 200));
  await expect(bill(period('up_4', START + 199, START + 300))).rejects.toThrow(/usage_periods_never_overlap/);
  await write(world, 'acct_1', {
    usage: { insert: [], change: [{ ...period('up_1', START, START + 100), quantity: '2', amount: 4, net: 4, watermark: 9 }] },
  });
  const { usage, ...snapshot } = await world.as('acct_1', (t) =>
    loadSnapshot(t, { subscriptionId: 'sub_metered', asOf: START + 300, lock: false }),
  );
  expect(snapshot.subscription?.id).toBe('sub_metered');
  // What ran on ends where another stretch begins, in one decision.
  await bill({ ...period('up_5', START + 300, START + 400), runsOn: true });
  await write(world, 'acct_1', {
    usage: { insert: [period('up_6', START + 399, START + 500)], change: [{ ...period('up_5', START + 300, START + 399), runsOn: false }] },
  });
  // Nothing of it is metered by its price, so nothing is read.
  expect(usage).toBeUndefined();
});

test('a report of usage tells those who may bill it early, once a minute', async () => {
  const told: string[] = [];
  let now = START;
  let fails = false;
  const usageReported = async (id: string): Promise<void> => {
    if (fails) throw new Error('nobody answers');
    told.push(id);
  };
  const report = usageReport({ db: world.db, commands: { usageReported } as Commands, log: pino({ level: 'silent' }), now: () => now });
  const account = anAccount({ id: 'acct_2' });
  const given = (patch: object) => ({
    subscription: aSubscription({ customerId: 'cus_2', status: 'active', items: [], latestInvoiceId: null, ...patch }),
  });
  await write(world, 'acct_2', given({ id: 'sub_plain' }));
  await write(world, 'acct_2', given({ id: 'sub_amount', billingThresholds: { amountGte: 5, resetBillingCycleAnchor: false } }));
  await write(
    world,
    'acct_2',
    given({ id: 'sub_unpaid', status: 'unpaid', billingThresholds: { amountGte: 5, resetBillingCycleAnchor: true } }),
  );
  const used = [{ customerId: 'cus_2', at: START }];
  await report(account, used);
  now += 59;
  // Together, and one after another.
  await Promise.all([report(account, used), report(account, [{ customerId: 'cus_1', at: START }]), report(account, used)]);
  expect(told).toEqual(['sub_amount']);
  now += 1;
  fails = true;
  await report(account, used);
  fails = false;
  await report(account, used);
  expect(told).toEqual(['sub_amount', 'sub_amount']);
  const kept = await world.as('acct_2', (t) => findSubscription(t, 'sub_amount'));
  expect(kept?.billingThresholds).toEqual({ amountGte: 5, resetBillingCycleAnchor: false });

  // Where the account re-rates: those whose billed time it belongs to.
  const creating = creation(2, 'sub_billed');
  await write(world, 'acct_2', { ...creating, subscription: creating.subscription && { ...creating.subscription, status: 'active' } });
  const stretch: UsagePeriod = {
    ...{
      id: 'up_billed',
      subscriptionId: 'sub_billed',
      subscriptionItemId: 'si_sub_billed',
      priceId: 'price_2',
      start: START,
      end: START + 100,
    },
    ...{ quantity: '1', amount: 1, net: 1, watermark: 1, minimum: null, maximum: null, taxRateIds: [] },
    ...{ invoiceId: null, invoiceLineId: null, invoiceItemId: null },
  };
  await write(world, 'acct_2', { usage: { insert: [stretch], change: [] } });
  const rerates = { ...account, lateUsage: 'rerate' } as const;
  await report(rerates, [{ customerId: 'cus_2', at: START + 100 }]);
  expect(told.slice(2)).toEqual([]);
  await report(rerates, [
    { customerId: 'cus_2', at: START + 100 },
    { customerId: 'cus_2', at: START + 99 },
  ]);
  expect(told.slice(2)).toEqual(['sub_billed']);
});
