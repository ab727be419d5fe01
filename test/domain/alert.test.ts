import { describe, expect, test } from 'vitest';
import { canAlert, watch } from '../../domain/usage/alert.ts';
import type { Formula } from '../../domain/usage/meter.ts';
import type { MeasuredEvent } from '../../domain/usage/meter-event.ts';
import { anAlert } from '../api/examples.ts';

const event = (customerId: string, value: string | null, patch: Partial<MeasuredEvent> = {}): MeasuredEvent => ({
  meterId: 'mtr_1',
  customerId,
  identifier: 'e',
  at: 0,
  value,
  uniqueValue: null,
  groupKey: '{}',
  counted: true,
  ...patch,
});
const watching = (formula: Formula, events: MeasuredEvent[], alerts = [anAlert()]): string[] =>
  watch(alerts, new Map([['mtr_1', formula]]), events).map(({ alert, customerId, usage }) => `${alert.id} ${customerId} ${usage}`);

describe('what events are to alerts', () => {
  test('adds up for each customer, exactly', () => {
    expect(watching('sum', [event('cus_1', '0.1'), event('cus_2', '7'), event('cus_1', '0.2')])).toEqual([
      'alrt_1 cus_1 0.3',
      'alrt_1 cus_2 7',
    ]);
  });

  test('is the greatest value where values do not add up', () => {
    for (const formula of ['max', 'last'] as const) {
      expect(watching(formula, [event('cus_1', '9'), event('cus_1', '10'), event('cus_1', '2')])).toEqual(['alrt_1 cus_1 10']);
    }
  });

  test('is nothing where they are of another meter or customer, or do not count', () => {
    const alerts = [anAlert({ id: 'alrt_2', customerId: 'cus_2' }), anAlert({ id: 'alrt_3', meterId: 'mtr_2' })];
    const events = [event('cus_1', '1'), event('cus_2', '2'), event('cus_2', '4', { counted: false })];
    expect(watching('count', events, alerts)).toEqual(['alrt_2 cus_2 2']);
  });

  test('is not known of different values, nor of a level over time', () => {
    expect((['sum', 'count', 'last', 'max', 'unique_count', 'weighted_sum'] as const).filter(canAlert)).toEqual([
      'sum',
      'count',
      'last',
      'max',
    ]);
  });
});
