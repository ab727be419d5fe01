import { START } from '../examples.ts';
import { type BadValue, BIG, LONG, refuses } from './refusals.ts';

const ALERT = 'alert_type=usage_threshold&title=a&usage_threshold[recurrence]=one_time&usage_threshold[meter]=mtr_1';

refuses([
  ['POST', '/v1/billing/meters', 'display_name=x&event_name=x', { code: 'parameter_missing', param: 'default_aggregation' }],
  ['POST', '/v1/billing/meters', 'display_name=x&event_name=x&default_aggregation[formula]=avg', { param: 'default_aggregation[formula]' }],
  [
    'POST',
    '/v1/billing/meters',
    'display_name=x&event_name=x&default_aggregation[formula]=sum&group_by[0]=a&group_by[1]=a',
    { param: 'group_by' },
  ],
  [
    'POST',
    '/v1/billing/meters',
    'display_name=x&event_name=calls&default_aggregation[formula]=sum',
    { code: 'resource_already_exists', param: 'event_name' },
  ],
  ['POST', '/v1/billing/meters/mtr_1', 'event_name=other', { code: 'parameter_unknown', param: 'event_name' }],
  ['POST', '/v1/billing/meter_events', 'event_name=calls', { code: 'parameter_missing', param: 'payload' }],
  ['POST', '/v1/billing/meter_events', 'event_name=nothing&payload[value]=1', { code: 'no_meter', param: 'event_name' }],
  [
    'POST',
    '/v1/billing/meter_events',
    'event_name=calls&payload[value]=1',
    { code: 'meter_event_no_customer_defined', param: 'payload[stripe_customer_id]' },
  ],
  [
    'POST',
    '/v1/billing/meter_events',
    'event_name=calls&payload[stripe_customer_id]=cus_1b&payload[value]=1',
    { code: 'meter_event_customer_not_found', param: 'payload[stripe_customer_id]' },
  ],
  ['POST', '/v1/billing/meter_events', `event_name=calls&identifier=${LONG}&payload[value]=1`, { param: 'identifier' }],
  ...['many', '', '1e3', BIG, '0.1234567890123', 'NaN'].map(
    (value): BadValue => [
      'POST',
      '/v1/billing/meter_events',
      `event_name=calls&payload[stripe_customer_id]=cus_1&payload[value]=${value}`,
      { param: 'payload[value]' },
    ],
  ),
  ...[String(START + 60 - 35 * 86_400 - 1), String(START + 60 + 301), '1.5', BIG].map(
    (at): BadValue => [
      'POST',
      '/v1/billing/meter_events',
      `event_name=calls&payload[stripe_customer_id]=cus_1&payload[value]=1&timestamp=${at}`,
      { param: 'timestamp' },
    ],
  ),
  ...[
    ['', { code: 'parameter_missing', param: 'alert_type' }],
    ['alert_type=spend', { param: 'alert_type' }],
    [
      'alert_type=usage_threshold&title=a&usage_threshold[meter]=mtr_1&usage_threshold[recurrence]=one_time',
      { param: 'usage_threshold[gte]' },
    ],
    [`${ALERT}&usage_threshold[gte]=0`, { param: 'usage_threshold[gte]' }],
    [`${ALERT}b&usage_threshold[gte]=5`, { code: 'resource_missing', param: 'usage_threshold[meter]' }],
    [
      `${ALERT}&usage_threshold[gte]=5&usage_threshold[filters][0][type]=customer&usage_threshold[filters][0][customer]=cus_1b`,
      { code: 'resource_missing', param: 'usage_threshold[filters][0][customer]' },
    ],
  ].map(([body, error]): BadValue => ['POST', '/v1/billing/alerts', body as string, error as BadValue[3]]),
  ['POST', '/v1/billing/meter_events/batch', '', { code: 'parameter_missing', param: 'events' }],
  ['POST', '/v1/billing/meter_event_adjustments', 'event_name=calls&type=cancel', { code: 'parameter_missing', param: 'cancel' }],
  [
    'POST',
    '/v1/billing/meter_event_adjustments',
    'event_name=calls&type=cancel&cancel[identifier]=none',
    { code: 'resource_missing', param: 'cancel[identifier]' },
  ],
  ['GET', '/v1/billing/meters/mtr_1/event_summaries?customer=cus_1b&start_time=0&end_time=60', '', { param: 'customer' }],
  ['GET', '/v1/billing/meters/mtr_1/event_summaries?customer=cus_1&start_time=1&end_time=60', '', { param: 'start_time' }],
  ['GET', '/v1/billing/meters/mtr_1/event_summaries?customer=cus_1&start_time=60&end_time=60', '', { param: 'end_time' }],
  [
    'GET',
    '/v1/billing/meters/mtr_1/event_summaries?customer=cus_1&start_time=0&end_time=60&filter[region]=eu',
    '',
    { param: 'filter[region]' },
  ],
]);
