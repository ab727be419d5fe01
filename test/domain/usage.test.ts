import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { joinTotals, NO_USAGE, quantityOf, type UsageTotals } from '../../domain/usage/measure.ts';
import { FORMULAS, type Formula } from '../../domain/usage/meter.ts';
import { contentOf, type GivenEvent, isFault, measureEvent, readEvent } from '../../domain/usage/meter-event.ts';
import { aMeter, START } from '../api/examples.ts';

const HOUR = { start: 0, end: 3600 };

interface Event {
  at: number;
  identifier: string;
  value: string;
}

/** What one event comes to; different values cannot be joined, so they are left out. */
const totalsOf = ({ at, identifier, value }: Event): UsageTotals => ({
  ...NO_USAGE,
  count: 1,
  sum: value,
  max: value,
  last: { at, identifier, value },
  moment: String(BigInt(Math.round(Number(value) * 100)) * BigInt(at))
    .replace(/(\d\d)$/, (cents) => `.${cents}`)
    .replace(/^(-?)\./, '$10.'),
});
const totalOf = (events: readonly Event[]): UsageTotals => events.map(totalsOf).reduce(joinTotals, NO_USAGE);
const event = (at: number, value: string, identifier = `e${at}`): Event => ({ at, identifier, value });

describe('what the events of an hour come to', () => {
  const events = [event(600, '10.00'), event(1800, '2.50'), event(1800, '4.00', 'a'), event(3000, '-1.00')];
  it.each<[Formula, Event[], string]>([
    ['sum', events, '15.5'],
    ['sum', [], '0'],
    ['sum', [event(0, '-3.00')], '0'],
    ['count', events, '4'],
    ['max', events, '10'],
    ['max', [event(0, '-3.00')], '0'],
    ['last', events.slice(0, 3), '2.5'],
    ['last', events, '0'],
    // 10 for 50 minutes, 6.5 for 30, -1 for 10: (10 x 3000 + 6.5 x 1800 - 600) / 3600.
    ['weighted_sum', events, '11.416666666667'],
    ['weighted_sum', [event(1800, '10.00')], '5'],
    ['weighted_sum', [event(0, '10.00')], '10'],
    ['weighted_sum', [], '0'],
  ])('%s of %j is %s', (formula, given, expected) => {
    expect(quantityOf(formula, totalOf(given), HOUR)).toBe(expected);
  });

  it('a level goes on from the stretch before', () => {
    expect(quantityOf('weighted_sum', { ...totalOf([event(1800, '-10.00')]), before: '30' }, HOUR)).toBe('25');
  });
  it('different values are counted once', () => {
    expect(quantityOf('unique_count', { ...NO_USAGE, count: 5, unique: 3 }, HOUR)).toBe('3');
  });
});

const someEvents = fc.uniqueArray(
  fc.record({
    at: fc.integer({ min: 0, max: 3599 }),
    identifier: fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom('a', 'b', 'c', 'd') }),
    value: fc.integer({ min: -10_000, max: 100_000 }).map((cents) => (cents / 100).toFixed(2)),
  }),
  { selector: ({ identifier }) => identifier, maxLength: 12 },
);

test('any order of events gives the same quantity', () => {
  fc.assert(
    fc.property(someEvents, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), fc.constantFrom(...FORMULAS), (events, keys, formula) => {
      const shuffled = events.map((one, index) => ({ one, key: keys[index] ?? 0 })).sort((a, b) => a.key - b.key);
      const other = totalOf(shuffled.map(({ one }) => one));
      expect(quantityOf(formula, other, HOUR)).toBe(quantityOf(formula, totalOf(events), HOUR));
    }),
  );
});

test('splitting a quantity over events never changes the sum, and cutting a stretch in two never changes what the parts come to', () => {
  fc.assert(
    fc.property(someEvents, fc.integer({ min: 1, max: 9999 }), fc.nat({ max: 3599 }), (events, cents, cut) => {
      const split = events.flatMap((one) => {
        const part = (Number(one.value) - cents / 100).toFixed(2);
        return [
          { ...one, value: part },
          { ...one, identifier: `${one.identifier}+`, value: (cents / 100).toFixed(2) },
        ];
      });
      expect(quantityOf('sum', totalOf(split), HOUR)).toBe(quantityOf('sum', totalOf(events), HOUR));
      const parts = joinTotals(totalOf(events.filter(({ at }) => at < cut)), totalOf(events.filter(({ at }) => at >= cut)));
      for (const formula of FORMULAS) expect(quantityOf(formula, parts, HOUR)).toBe(quantityOf(formula, totalOf(events), HOUR));
    }),
  );
});

describe('an event', () => {
  const anIdentifier = () => 'made';
  const given = (patch: Partial<GivenEvent> = {}): GivenEvent => ({
    eventName: 'calls',
    payload: { stripe_customer_id: 'cus_1', value: '5' },
    identifier: 'e1',
    timestamp: START,
    ...patch,
  });
  const customer = { id: 'cus_1', deleted: false, now: START };

  it.each<[string, unknown, string]>([
    ['no hash', 'text', ''],
    ['a list', [], ''],
    ['an unknown parameter', { event_name: 'calls', payload: {}, colour: 'red' }, 'colour'],
    ['no name', { payload: {} }, 'event_name'],
    ['a name that is none', { event_name: 7, payload: {} }, 'event_name'],
    ['no payload', { event_name: 'calls' }, 'payload'],
    ['a payload that is none', { event_name: 'calls', payload: [] }, 'payload'],
    ['a payload with a hash in it', { event_name: 'calls', payload: { a: {} } }, 'payload'],
    ['an endless payload', { event_name: 'calls', payload: { a: 'x'.repeat(501) } }, 'payload'],
    ['an empty identifier', { event_name: 'calls', payload: {}, identifier: '' }, 'identifier'],
    ['a fraction of a second', { event_name: 'calls', payload: {}, timestamp: 1.5 }, 'timestamp'],
    ['a date', { event_name: 'calls', payload: {}, timestamp: '2027-01-01' }, 'timestamp'],
  ])('with %s is refused', (_, sent, param) => {
    expect(readEvent(sent, anIdentifier)).toMatchObject({ param, message: expect.any(String) });
  });

  it('is read as it was sent, with an identifier and text for numbers', () => {
    expect(readEvent({ event_name: 'calls', payload: { value: 2.5, dry: true }, timestamp: '17' }, anIdentifier)).toEqual({
      eventName: 'calls',
      payload: { value: '2.5', dry: 'true' },
      identifier: 'made',
      timestamp: 17,
    });
  });

  it.each<[string, Partial<GivenEvent>, string]>([
    ['35 days old', { timestamp: START - 35 * 86_400 }, ''],
    ['older', { timestamp: START - 35 * 86_400 - 1 }, 'timestamp_too_far_in_past'],
    ['5 minutes ahead', { timestamp: START + 300 }, ''],
    ['further ahead', { timestamp: START + 301 }, 'timestamp_in_future'],
    ['of no value', { payload: { stripe_customer_id: 'cus_1' } }, 'meter_event_value_not_found'],
    ['of text', { payload: { stripe_customer_id: 'cus_1', value: '1e3' } }, 'meter_event_invalid_value'],
    ['of nobody', { payload: { value: '1' } }, 'meter_event_no_customer_defined'],
    ['of a prototype', { payload: { ...JSON.parse('{"__proto__x":"1"}'), value: '1' } }, 'meter_event_no_customer_defined'],
  ])('%s', (_, patch, code) => {
    const measured = measureEvent(given(patch), aMeter(), customer);
    expect(isFault(measured) ? measured.code : '').toBe(code);
  });

  it('needs a meter that is active and a customer that lives', () => {
    expect(measureEvent(given(), null, customer)).toMatchObject({ code: 'no_meter' });
    expect(measureEvent(given(), aMeter({ status: 'inactive' }), customer)).toMatchObject({ code: 'archived_meter' });
    expect(measureEvent(given(), aMeter(), null)).toMatchObject({ code: 'meter_event_customer_not_found' });
    expect(measureEvent(given(), aMeter(), { ...customer, deleted: true })).toMatchObject({ code: 'meter_event_customer_not_found' });
  });

  it('belongs to a group, and counts where the filters let it', () => {
    const meter = aMeter({ groupBy: ['model', 'region'], filters: { region: ['eu', 'us'] } });
    const payload = { stripe_customer_id: 'cus_1', value: '5', region: 'eu', model: 'a' };
    expect(measureEvent(given({ payload }), meter, customer)).toMatchObject({ groupKey: '{"model":"a","region":"eu"}', counted: true });
    expect(measureEvent(given({ payload: { ...payload, region: 'asia' } }), meter, customer)).toMatchObject({ counted: false });
    const { model: _, ...without } = payload;
    expect(measureEvent(given({ payload: without }), meter, customer)).toMatchObject({ code: 'missing_dimension_payload_keys' });
  });

  it('takes the time in which its customer lives', () => {
    expect(measureEvent(given({ timestamp: null }), aMeter(), { ...customer, now: 17 })).toMatchObject({ at: 17, value: '5' });
  });

  it('has the same content whatever the order of its payload, and another with another time', () => {
    const other = given({ payload: { value: '5', stripe_customer_id: 'cus_1' } });
    expect(contentOf(other)).toBe(contentOf(given()));
    expect(contentOf(given({ timestamp: null }))).not.toBe(contentOf(given()));
  });
});
