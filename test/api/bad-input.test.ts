import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Route } from '../../api/define-route.ts';
import { ROUTES } from '../../api/routes/index.ts';
import { errorAnswer } from '../../api/schemas/errors.ts';
import { START } from './examples.ts';
import { type Answer, type Api, KEYS, seed, startApi } from './harness.ts';

let api: Api;
let before: Record<string, number>;
beforeAll(async () => {
  api = await startApi();
  await seed(api.db, 'acct_1');
  await seed(api.db, 'acct_2', 'b');
  before = await written();
});
afterAll(() => api.stop());

/** Of what is there; that a subscription has refused something is on its timeline. */
const written = async () => ({ ...(await api.countRows()), refused_commands: 0 });

/** Stripe-shaped, a 4xx, nothing written, no workflow asked. */
async function expectRefusal(answer: Answer, expected: { status?: number; code?: string; param?: string } = {}): Promise<void> {
  expect(answer.status, JSON.stringify(answer.body)).toBeGreaterThanOrEqual(400);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500);
  const { error } = errorAnswer.parse(answer.body);
  expect(answer.headers.get('request-id')).toMatch(/^req_[A-Za-z0-9]{24}$/);
  const { status, ...rest } = expected;
  if (status !== undefined) expect(answer.status, error.message).toBe(status);
  expect(error).toMatchObject(rest);
  expect(await written()).toEqual(before);
  for (const [name, command] of Object.entries(api.commands)) if (name !== 'ready') expect(command, name).not.toHaveBeenCalled();
}

const OWN: Record<string, string> = {
  customers: 'cus_1',
  products: 'prod_1',
  prices: 'price_1',
  tax_rates: 'txr_1',
  payment_methods: 'pm_1',
  subscriptions: 'sub_1',
  subscription_items: 'si_1',
  invoices: 'in_1',
  quotes: 'qt_1',
  invoiceitems: 'ii_1',
  events: 'evt_1',
  test_helpers: 'clock_1',
  billing: 'mtr_1',
  coupons: 'SPRING',
  promotion_codes: 'promo_1',
  entitlements: 'feat_1',
  price_migrations: 'pmig_1',
};
/** A phase of a schedule. */
const PHASE = 'phases[0][items][0][price]=price_1';
const pathOf = (route: Route, id = OWN[route.path.split('/')[2] ?? ''] ?? 'x'): string =>
  route.path.replace(':id', id).replace(':method', 'pm_1').replace(':change', 'schg_1').replace(':feature', 'prodft_1');
const named = ROUTES.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const);
const send = (route: Route, params: string, headers: Record<string, string> = {}, path = pathOf(route)): Promise<Answer> =>
  route.method === 'post'
    ? api.request('POST', path, { body: params, headers })
    : api.request(route.method.toUpperCase(), params === '' ? path : `${path}?${params}`, { headers });

describe.each(named)('%s refuses', (_, route) => {
  it('an unknown parameter', async () => {
    await expectRefusal(await send(route, 'colour=red'), { status: 400, code: 'parameter_unknown', param: 'colour' });
  });
  it('an unsupported parameter of Stripe in an unknown place', async () => {
    await expectRefusal(await send(route, 'transfer_data[destination]=acct_2'), {
      status: 400,
      code: 'parameter_unknown',
      param: 'transfer_data',
    });
  });
  it('null bytes and broken text', async () => {
    await expectRefusal(await send(route, 'colour=%00'), { status: 400 });
    await expectRefusal(await send(route, '%00=1'), { status: 400 });
    await expectRefusal(await send(route, 'colour=%ff'), { status: 400 });
    await expectRefusal(await send(route, 'metadata[__proto__]=1'), { status: 400 });
    if (route.method === 'get') return;
    const json = { 'content-type': 'application/json' };
    await expectRefusal(await api.request(route.method.toUpperCase(), pathOf(route), { body: '{"a":"\\ud800"}', headers: json }), {
      status: 400,
    });
    await expectRefusal(await api.request(route.method.toUpperCase(), pathOf(route), { body: '{"a\\u0000":1}', headers: json }), {
      status: 400,
    });
  });
  it('a wrong key', async () => {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer sk_test_wrongwrongwrong',
      `Bearer pk_test_x`,
      `Bearer ${KEYS.acct_1}x`,
      'Basic !!!',
      'Digest x',
      `Bearer ${'x'.repeat(5000)}`,
    ]) {
      await expectRefusal(await send(route, '', { authorization }), { status: 401 });
    }
  });
  it('what it can only misunderstand', async () => {
    if (route.method === 'get') return;
    const method = route.method.toUpperCase();
    const path = pathOf(route);
    for (const body of ['{', '[]', '"x"', 'null', '[['.repeat(50_000), '{"a":'.repeat(1000)]) {
      await expectRefusal(await api.request(method, path, { body, headers: { 'content-type': 'application/json' } }), { status: 400 });
    }
    await expectRefusal(await api.request(method, path, { body: '<a/>', headers: { 'content-type': 'application/xml' } }), { status: 415 });
    await expectRefusal(await api.request(method, path, { body: `a=${'x'.repeat(300_000)}` }), { status: 413 });
    await expectRefusal(
      await api.request(method, path, { body: gzipSync('a'.repeat(5_000_000)), headers: { 'content-encoding': 'gzip' } }),
      { status: 413 },
    );
    await expectRefusal(await api.request(method, path, { body: 'not gzip', headers: { 'content-encoding': 'gzip' } }), { status: 400 });
    await expectRefusal(await api.request(method, path, { body: 'a=1', headers: { 'content-encoding': 'nonsense' } }), { status: 415 });
  });
  it('an Idempotency-Key that is none', async () => {
    if (!route.writes) return;
    await expectRefusal(await send(route, '', { 'idempotency-key': 'x'.repeat(256) }), { status: 400 });
  });
  it('an id that is none, and the id of another account', async () => {
    if (!route.path.includes(':id')) return;
    const [, , resource = ''] = route.path.split('/');
    const valid = route.path.endsWith('/attach') ? 'customer=cus_1' : '';
    const theirs = resource === 'payment_methods' && route.path.endsWith('/attach') ? 'pm_nothing' : `${OWN[resource] ?? ''}b`;
    for (const id of ['nothing', theirs, 'a%00b', '%ff', '..%2f..%2fetc', 'x'.repeat(300), "'%20or%201=1--"]) {
      const answer = await send(route, valid, {}, pathOf(route, id));
      await expectRefusal(answer);
      expect([400, 404]).toContain(answer.status);
    }
  });
  it('a path to expand that does not exist', async () => {
    if (!('expand' in ((route.params as { shape?: object }).shape ?? {}))) return;
    const answer = await send(route, 'expand[]=data.nothing.at_all');
    await expectRefusal(answer, { status: 400 });
    await expectRefusal(await send(route, 'expand=x'), { status: 400 });
    await expectRefusal(await send(route, `expand[]=${'a.'.repeat(150)}`), { status: 400 });
  });
  it('wrong pages', async () => {
    if (route.list !== true) return;
    const NEEDED: Record<string, string> = {
      '/v1/subscription_items': '&subscription=sub_1',
      '/v1/payment_methods': '&customer=cus_1',
      '/v1/entitlements/active_entitlements': '&customer=cus_1',
    };
    const valid = NEEDED[route.path] ?? '';
    for (const page of [
      'limit=0',
      'limit=101',
      'limit=-1',
      'limit=1e1',
      'limit=ten',
      'limit=',
      'starting_after=',
      'starting_after=nothing',
      'ending_before=nothing',
      'starting_after=a&ending_before=b',
      'limit[gte]=3',
    ]) {
      await expectRefusal(await send(route, `${page}${valid}`), { status: 400 });
    }
  });
});

const LONG = 'x'.repeat(5001);
const BIG = '999999999999999999999';
type BadValue = [method: string, path: string, body: string, expected: { status?: number; code?: string; param?: string }];
const PRICE = 'product=prod_1&currency=eur&unit_amount=1';
const ALERT = 'alert_type=usage_threshold&title=a&usage_threshold[recurrence]=one_time&usage_threshold[meter]=mtr_1';
const GRANT =
  'customer=cus_1&amount[type]=monetary&amount[monetary][currency]=eur&amount[monetary][value]=1000&applicability_config[scope][price_type]=metered';

/** A one-time `price_data` inside of a parameter. */
const once = (at: string, product = 'prod_1'): string =>
  Object.entries({ currency: 'eur', product, unit_amount: '1' })
    .map(([name, value]) => `${at === '' ? 'price_data' : `${at}[price_data]`}[${name}]=${value}`)
    .join('&');
const inline = (at: string, product?: string): string =>
  `${once(at, product)}&${at === '' ? 'price_data' : `${at}[price_data]`}[recurring][interval]=month`;
const CREDIT =
  'credit_grant[amount][type]=monetary&credit_grant[amount][monetary][currency]=eur&credit_grant[amount][monetary][value]=1&credit_grant[applicability_config][scope][price_type]=metered';
const BUNDLE = `${PRICE}&recurring[interval]=month&bundle[0][product]=prod_1&bundle[0][share]=1`;
const METERED = 'product=prod_1&currency=eur&recurring[interval]=month&recurring[usage_type]=metered&recurring[meter]=mtr_1';
const TIERED = 'product=prod_1&currency=eur&billing_scheme=tiered&tiers_mode=graduated';

describe('values', () => {
  it.each<BadValue>([
    ['POST', '/v1/price_migrations', '', { code: 'parameter_missing', param: 'from_price' }],
    ['POST', '/v1/price_migrations', 'from_price=price_1', { code: 'parameter_missing', param: 'to_price' }],
    ['POST', '/v1/price_migrations', 'from_price=price_nothing&to_price=price_1', { code: 'resource_missing', param: 'from_price' }],
    ['POST', '/v1/price_migrations', 'from_price=price_1&to_price=price_1b', { code: 'resource_missing', param: 'to_price' }],
    ['POST', '/v1/price_migrations', 'from_price=price_1&to_price=price_1', { param: 'to_price' }],
    ['POST', '/v1/price_migrations', 'from_price=price_1&to_price=price_1&dry_run=perhaps', { param: 'dry_run' }],
    ['POST', '/v1/price_migrations', 'from_price=price_1&to_price=price_1&effective_at=soon', { param: 'effective_at' }],
    ['POST', '/v1/price_migrations', `from_price=price_1&to_price=price_1&effective_at=${BIG}`, { param: 'effective_at' }],
    ['POST', '/v1/price_migrations', 'from_price=price_1&to_price=price_1&proration_behavior=some', { param: 'proration_behavior' }],
    ['POST', '/v1/price_migrations', 'from_price=price_1&to_price=price_1&filters[limit]=0', { param: 'filters[limit]' }],
    ['POST', '/v1/price_migrations', 'from_price=price_1&to_price=price_1&filters[country]=de', { param: 'filters[country]' }],
    [
      'POST',
      '/v1/price_migrations',
      'from_price=price_1&to_price=price_1&filters[customer_created_before]=x',
      { param: 'filters[customer_created_before]' },
    ],
    ['POST', '/v1/price_migrations/pmig_1/cancel', '', { code: 'status_transition_invalid' }],
    ['GET', '/v1/price_migrations/pmig_1/subscriptions?status=gone', '', { param: 'status' }],
    ['POST', '/v1/customers', 'test_clock=clock_1b', { code: 'resource_missing', param: 'test_clock' }],
    ['POST', '/v1/customers/cus_1', 'test_clock=clock_1b', { code: 'resource_missing', param: 'test_clock' }],
    ['POST', '/v1/test_helpers/test_clocks', '', { code: 'parameter_missing', param: 'frozen_time' }],
    ['POST', '/v1/test_helpers/test_clocks', 'frozen_time=soon', { param: 'frozen_time' }],
    ['POST', '/v1/test_helpers/test_clocks', `frozen_time=${BIG}`, { param: 'frozen_time' }],
    ['POST', '/v1/test_helpers/test_clocks', `frozen_time=0&name=${LONG}`, { param: 'name' }],
    ['POST', '/v1/test_helpers/test_clocks/clock_1/advance', '', { code: 'parameter_missing', param: 'frozen_time' }],
    ['POST', '/v1/test_helpers/test_clocks/clock_1/advance', 'frozen_time=1800000000', { param: 'frozen_time' }],
    ['POST', '/v1/entitlements/features', 'name=x', { code: 'parameter_missing', param: 'lookup_key' }],
    ['POST', '/v1/entitlements/features', `name=x&lookup_key=${LONG}`, { param: 'lookup_key' }],
    ['POST', '/v1/entitlements/features/feat_1', 'lookup_key=y', { code: 'parameter_unknown', param: 'lookup_key' }],
    ['POST', '/v1/products/prod_1/features', '', { code: 'parameter_missing', param: 'entitlement_feature' }],
    ['POST', '/v1/products/prod_1/features', 'entitlement_feature=feat_1b', { code: 'resource_missing', param: 'entitlement_feature' }],
    ['POST', '/v1/products/prod_1/features', 'entitlement_feature=feat_1&limit=-1', { param: 'limit' }],
    ['GET', '/v1/entitlements/active_entitlements', '', { code: 'parameter_missing', param: 'customer' }],
    ['GET', '/v1/entitlements/active_entitlements?customer=cus_1b', '', { code: 'resource_missing', param: 'customer' }],
    ['POST', '/v1/billing/meters', 'display_name=x&event_name=x', { code: 'parameter_missing', param: 'default_aggregation' }],
    [
      'POST',
      '/v1/billing/meters',
      'display_name=x&event_name=x&default_aggregation[formula]=avg',
      { param: 'default_aggregation[formula]' },
    ],
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
    ['POST', '/v1/account', 'late_usage=never', { param: 'late_usage' }],
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
    ['POST', '/v1/customers', 'name[a]=b', { param: 'name' }],
    ['POST', '/v1/customers', `name=${LONG}`, { param: 'name' }],
    ['POST', '/v1/customers', 'email=nobody', { param: 'email' }],
    ['POST', '/v1/customers', 'balance=100', { code: 'parameter_unknown', param: 'balance' }],
    ['POST', '/v1/customers', 'tax_exempt=maybe', { param: 'tax_exempt' }],
    ['POST', '/v1/customers', 'consolidated_invoicing=maybe', { param: 'consolidated_invoicing' }],
    ['POST', '/v1/customers', 'default_tax_rates[0]=txr_1b', { code: 'resource_missing', param: 'default_tax_rates[0]' }],
    [
      'POST',
      '/v1/customers',
      'invoice_settings[default_payment_method]=pm_1',
      { code: 'resource_missing', param: 'invoice_settings[default_payment_method]' },
    ],
    ['POST', '/v1/customers', 'payment_method=pm_1', { param: 'payment_method' }],
    ['POST', '/v1/customers', 'payment_method=pm_nothing', { code: 'resource_missing', param: 'payment_method' }],
    ['POST', '/v1/customers', 'external_id=crm', { code: 'resource_already_exists', param: 'external_id' }],
    ['POST', '/v1/customers', 'address[country]=Germany', { param: 'address[country]' }],
    [
      'POST',
      '/v1/customers/cus_1',
      'invoice_settings[default_payment_method]=pm_1b',
      { code: 'resource_missing', param: 'invoice_settings[default_payment_method]' },
    ],
    ['GET', '/v1/customers?created[gte]=soon', '', { param: 'created[gte]' }],
    ['GET', `/v1/customers?created=${BIG}`, '', { param: 'created' }],
    ['POST', '/v1/products', 'name=', { code: 'parameter_invalid_empty', param: 'name' }],
    ['POST', '/v1/products', '', { code: 'parameter_missing', param: 'name' }],
    [
      'POST',
      '/v1/products',
      'name=x&default_price_data[currency]=eur',
      { code: 'parameter_missing', param: 'default_price_data[unit_amount]' },
    ],
    ['POST', '/v1/products', 'name=x&id=a%20b', { param: 'id' }],
    ...(
      [
        [`${PRICE}&${CREDIT}`, 'credit_grant'],
        [`${PRICE}&recurring[interval]=month&${CREDIT}&currency_options[usd][unit_amount]=1`, 'currency_options'],
        [`${PRICE}&recurring[interval]=month&${CREDIT.replace('=eur', '=usd')}`, 'credit_grant[amount][monetary][currency]'],
        [`${PRICE}&recurring[interval]=month&${CREDIT}&credit_grant[rollover][percent]=0`, 'credit_grant[rollover][percent]'],
        [`${PRICE}&recurring[interval]=month&${CREDIT}&credit_grant[rollover][percent]=101`, 'credit_grant[rollover][percent]'],
        [`${PRICE}&recurring[interval]=month&${CREDIT}&credit_grant[rollover][max_amount]=0`, 'credit_grant[rollover][max_amount]'],
        [`${PRICE}&recurring[interval]=month&${CREDIT}&credit_grant[rollover][max_periods]=0`, 'credit_grant[rollover][max_periods]'],
        [`${PRICE}&recurring[interval]=month&${CREDIT}&credit_grant[expires_at]=1`, 'credit_grant[expires_at]'],
        [
          `${PRICE}&recurring[interval]=month&${CREDIT.replace('[price_type]=metered', '[prices][0][id]=price_1b')}`,
          'credit_grant[applicability_config][scope][prices][0][id]',
        ],
      ] as [string, string][]
    ).map(([body, param]): BadValue => ['POST', '/v1/prices', body, { param }]),
    ['POST', '/v1/products', 'name=x&requires_one_of[]=prod_1b', { code: 'resource_missing', param: 'requires_one_of[0]' }],
    ['POST', '/v1/products', 'name=x&requires_one_of[]=prod_1&requires_one_of[]=prod_1', { param: 'requires_one_of' }],
    ['POST', '/v1/products/prod_1', 'requires_one_of[]=prod_1', { param: 'requires_one_of[0]' }],
    ['POST', '/v1/products/prod_1', 'default_price=price_1b', { code: 'resource_missing', param: 'default_price' }],
    [
      'POST',
      '/v1/prices',
      `${PRICE}&bundle[0][product]=prod_1&bundle[0][share]=1&bundle[1][product]=prod_2&bundle[1][share]=1`,
      { param: 'bundle' },
    ],
    [
      'POST',
      '/v1/prices',
      `${BUNDLE}&bundle[1][product]=prod_1b&bundle[1][share]=1`,
      { code: 'resource_missing', param: 'bundle[1][product]' },
    ],
    ['POST', '/v1/prices', BUNDLE, { param: 'bundle' }],
    ['POST', '/v1/prices', `${BUNDLE}&bundle[1][product]=prod_1&bundle[1][share]=2`, { param: 'bundle' }],
    ['POST', '/v1/prices', `${BUNDLE}&bundle[1][product]=prod_1b&bundle[1][share]=0`, { param: 'bundle[1][share]' }],
    ['POST', '/v1/prices', `${BUNDLE}&bundle[1][product]=prod_1b&bundle[1][share]=NaN`, { param: 'bundle[1][share]' }],
    [
      'POST',
      '/v1/prices',
      `${METERED}&unit_amount=1&bundle[0][product]=prod_1&bundle[0][share]=1&bundle[1][product]=prod_2&bundle[1][share]=1`,
      { param: 'bundle' },
    ],
    ['POST', '/v1/prices', 'product=prod_1b&currency=eur&unit_amount=1', { code: 'resource_missing', param: 'product' }],
    ['POST', '/v1/prices', `product=prod_1&currency=eur&unit_amount=${BIG}`, { code: 'parameter_invalid_integer', param: 'unit_amount' }],
    ['POST', '/v1/prices', 'product=prod_1&currency=eur&unit_amount_decimal=-1', { param: 'unit_amount_decimal' }],
    ['POST', '/v1/prices', 'product=prod_1&currency=eur&unit_amount_decimal=NaN', { param: 'unit_amount_decimal' }],
    ['POST', '/v1/prices', 'product=prod_1&currency=eur&unit_amount=1&recurring[interval]=fortnight', { param: 'recurring[interval]' }],
    ['POST', '/v1/prices', `${PRICE}&billing_scheme=tiered`, { param: 'unit_amount' }],
    ['POST', '/v1/prices', `${PRICE}&tiers[0][up_to]=inf&tiers[0][unit_amount]=1`, { param: 'tiers' }],
    ['POST', '/v1/prices', `${PRICE}&tiers_mode=volume`, { param: 'tiers_mode' }],
    ['POST', '/v1/prices', `${PRICE}&custom_unit_amount[enabled]=true`, { code: 'parameter_unknown', param: 'custom_unit_amount' }],
    [
      'POST',
      '/v1/prices',
      `${PRICE}&transform_quantity[divide_by]=0&transform_quantity[round]=up`,
      { param: 'transform_quantity[divide_by]' },
    ],
    ['POST', '/v1/prices', `${PRICE}&transform_quantity[divide_by]=10`, { code: 'parameter_missing', param: 'transform_quantity[round]' }],
    [
      'POST',
      '/v1/prices',
      `${PRICE}&transform_quantity[divide_by]=10&transform_quantity[round]=near`,
      { param: 'transform_quantity[round]' },
    ],
    [
      'POST',
      '/v1/prices',
      `${PRICE}&recurring[interval]=month&recurring[usage_type]=metered`,
      { code: 'parameter_missing', param: 'recurring[meter]' },
    ],
    ...[
      ['mtr_1b', 'recurring[meter]'],
      ['mtr_1&recurring[meter_filter][region]=eu', 'recurring[meter_filter][region]'],
    ].map(
      ([meter, param]): BadValue => [
        'POST',
        '/v1/prices',
        `${PRICE}&recurring[interval]=month&recurring[usage_type]=metered&recurring[meter]=${meter}`,
        { param: param ?? '' },
      ],
    ),
    ['POST', '/v1/prices', `${PRICE}&recurring[interval]=month&recurring[meter]=mtr_1`, { param: 'recurring[meter]' }],
    ...(
      [
        ['unit_amount=1&recurring[minimum_amount]=-1', 'recurring[minimum_amount]'],
        ['unit_amount=1&recurring[minimum_amount]=2&recurring[maximum_amount]=1', 'recurring[maximum_amount]'],
        ['unit_amount=1&recurring[minimum_amount]=2&currency_options[usd][unit_amount]=1', 'currency_options'],
        ['percentage[rate]=0', 'percentage[rate]'],
        ['percentage[rate]=100.1', 'percentage[rate]'],
        ['percentage[rate]=-1', 'percentage[rate]'],
        ['percentage[fixed_amount]=1', 'percentage[rate]'],
        ['percentage[rate]=1&percentage[fixed_amount]=-1', 'percentage[fixed_amount]'],
        ['percentage[rate]=1&percentage[free_events]=0.5', 'percentage[free_events]'],
        ['percentage[rate]=1&percentage[minimum_amount]=2&percentage[maximum_amount]=1', 'percentage[maximum_amount]'],
        ['percentage[rate]=1&percentage[cap]=1', 'percentage[cap]'],
        ['percentage[rate]=1&unit_amount=1', 'unit_amount'],
        ['percentage[rate]=1&currency_options[usd][unit_amount]=1', 'currency_options'],
        ['percentage[rate]=1&billing_scheme=tiered', 'billing_scheme'],
      ] as const
    ).map(([more, param]): BadValue => ['POST', '/v1/prices', `${METERED}&${more}`, { param }]),
    ['POST', '/v1/prices', 'product=prod_1&currency=eur&recurring[interval]=month&percentage[rate]=1', { param: 'percentage' }],
    ['POST', '/v1/prices', `${PRICE}&recurring[interval]=month&recurring[maximum_amount]=5`, { param: 'recurring[maximum_amount]' }],
    ['POST', '/v1/prices', TIERED, { code: 'parameter_missing', param: 'tiers' }],
    ['POST', '/v1/prices', `${TIERED}&tiers[0][up_to]=inf`, { code: 'parameter_missing', param: 'tiers[0][unit_amount]' }],
    ['POST', '/v1/prices', `${TIERED}&tiers[0][up_to]=0&tiers[0][unit_amount]=1`, { param: 'tiers[0][up_to]' }],
    ['POST', '/v1/prices', `${TIERED}&tiers[0][up_to]=many&tiers[0][unit_amount]=1`, { param: 'tiers[0][up_to]' }],
    ['POST', '/v1/prices', `${TIERED}&tiers[0][up_to]=10&tiers[0][unit_amount]=1`, { param: 'tiers[0][up_to]' }],
    ['POST', '/v1/prices', `${TIERED}&tiers[0][unit_amount]=1`, { code: 'parameter_missing', param: 'tiers[0][up_to]' }],
    ['POST', '/v1/prices', `${TIERED}&tiers[0][up_to]=inf&tiers[0][unit_amount]=-1`, { param: 'tiers[0][unit_amount]' }],
    [
      'POST',
      '/v1/prices',
      `${TIERED}&tiers[0][up_to]=10&tiers[0][unit_amount]=1&tiers[1][up_to]=10&tiers[1][unit_amount]=1&tiers[2][up_to]=inf&tiers[2][unit_amount]=1`,
      { param: 'tiers[1][up_to]' },
    ],
    [
      'POST',
      '/v1/prices',
      `${TIERED}&tiers[0][up_to]=inf&tiers[0][unit_amount]=1&tiers[1][up_to]=inf&tiers[1][unit_amount]=1`,
      { param: 'tiers[0][up_to]' },
    ],
    [
      'POST',
      '/v1/prices',
      `${TIERED}&tiers[0][up_to]=inf&tiers[0][unit_amount]=1&tiers[0][unit_amount_decimal]=1`,
      { code: 'parameters_exclusive', param: 'tiers[0][unit_amount]' },
    ],
    [
      'POST',
      '/v1/prices',
      `${TIERED}&tiers[0][up_to]=inf&tiers[0][flat_amount]=1&tiers[0][flat_amount_decimal]=1`,
      { code: 'parameters_exclusive', param: 'tiers[0][flat_amount]' },
    ],
    [
      'POST',
      '/v1/prices',
      'product=prod_1&currency=eur&billing_scheme=tiered&tiers[0][up_to]=inf&tiers[0][unit_amount]=1',
      { code: 'parameter_missing', param: 'tiers_mode' },
    ],
    [
      'POST',
      '/v1/prices',
      `${TIERED}&tiers[0][up_to]=inf&tiers[0][unit_amount]=1&transform_quantity[divide_by]=10&transform_quantity[round]=up`,
      { param: 'transform_quantity' },
    ],
    ['POST', '/v1/prices', `${PRICE}&currency_options[eur][unit_amount]=1`, { param: 'currency_options[eur]' }],
    ['POST', '/v1/prices', `${PRICE}&currency_options[xxx][unit_amount]=1`, { param: 'currency_options[xxx]' }],
    ['POST', '/v1/prices', `${PRICE}&currency_options[dollar][unit_amount]=1`, { param: 'currency_options[dollar]' }],
    ['POST', '/v1/prices', `${PRICE}&currency_options[usd][tax_behavior]=exclusive`, { param: 'currency_options[usd][unit_amount]' }],
    [
      'POST',
      '/v1/prices',
      `${PRICE}&currency_options[usd][tiers][0][up_to]=inf&currency_options[usd][tiers][0][unit_amount]=1`,
      { param: 'currency_options[usd][tiers]' },
    ],
    [
      'POST',
      '/v1/prices',
      `${TIERED}&tiers[0][up_to]=inf&tiers[0][unit_amount]=1&currency_options[usd][unit_amount]=1`,
      { param: 'currency_options[usd][unit_amount]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      `customer=cus_1&items[0][price]=price_1&${inline('items[0]')}`,
      { code: 'parameters_exclusive', param: 'items[0][price_data]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      `customer=cus_1&${inline('items[0]', 'prod_1b')}`,
      { code: 'resource_missing', param: 'items[0][price_data][product]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      `customer=cus_1&${once('items[0]')}`,
      { code: 'parameter_missing', param: 'items[0][price_data][recurring]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      `customer=cus_1&${inline('items[0]')}&items[0][price_data][recurring][usage_type]=metered`,
      { code: 'parameter_unknown', param: 'items[0][price_data][recurring][usage_type]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      `customer=cus_1&${inline('items[0]')}&currency=usd`,
      { code: 'currency_mismatch', param: 'items[0][price]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      `customer=cus_1&items[0][price]=price_1&${inline('add_invoice_items[0]')}`,
      { code: 'parameter_unknown', param: 'add_invoice_items[0][price_data][recurring]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      `customer=cus_1&items[0][price]=price_1&${once('add_invoice_items[0]', 'prod_1b')}`,
      { code: 'resource_missing', param: 'add_invoice_items[0][price_data][product]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&items[0][billing_thresholds][usage_gte]=5',
      { code: 'parameter_invalid', param: 'items[0][billing_thresholds]' },
    ],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'items[0][id]=si_1&items[0][billing_thresholds][usage_gte]=5',
      { code: 'parameter_invalid', param: 'items[0][billing_thresholds]' },
    ],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'billing_thresholds[reset_billing_cycle_anchor]=true',
      { code: 'parameter_missing', param: 'billing_thresholds[amount_gte]' },
    ],
    ['POST', '/v1/subscriptions/sub_1', 'billing_thresholds[amount_gte]=0', { param: 'billing_thresholds[amount_gte]' }],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&add_invoice_items[0][quantity]=1',
      { code: 'parameter_missing', param: 'add_invoice_items[0][price]' },
    ],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      `items[0][id]=si_1&items[0][price]=price_1&${inline('items[0]')}`,
      { code: 'parameters_exclusive', param: 'items[0][price_data]' },
    ],
    ['POST', '/v1/subscriptions/sub_1', `items[0][id]=si_1&items[0][deleted]=true&${inline('items[0]')}`, { code: 'parameters_exclusive' }],
    ['POST', '/v1/subscription_items', 'subscription=sub_1', { code: 'parameter_missing', param: 'price' }],
    [
      'POST',
      '/v1/subscription_items',
      `subscription=sub_1&${inline('', 'prod_1b')}`,
      { code: 'resource_missing', param: 'price_data[product]' },
    ],
    ['POST', '/v1/subscription_items/si_1', `price=price_1&${inline('')}`, { code: 'parameters_exclusive', param: 'price_data' }],
    ['POST', '/v1/invoiceitems', `customer=cus_1&amount=1&currency=eur&${once('')}`, { code: 'parameters_exclusive', param: 'price_data' }],
    ['POST', '/v1/invoiceitems', `customer=cus_1&${once('', 'prod_1b')}`, { code: 'resource_missing', param: 'price_data[product]' }],
    ['POST', '/v1/invoiceitems', `customer=cus_1&currency=usd&${once('')}`, { code: 'currency_mismatch', param: 'currency' }],
    [
      'POST',
      '/v1/invoices/create_preview',
      'customer=cus_1&subscription_details[items][0][quantity]=1',
      { code: 'parameter_missing', param: 'subscription_details[items][0][price]' },
    ],
    [
      'POST',
      '/v1/invoices/create_preview',
      `customer=cus_1&${inline('subscription_details[items][0]', 'prod_1b')}`,
      { code: 'resource_missing', param: 'subscription_details[items][0][price_data][product]' },
    ],
    ['POST', '/v1/prices/price_1', 'currency_options[eur][unit_amount]=1', { param: 'currency_options[eur]' }],
    ['POST', '/v1/prices/price_1', 'currency_options[usd][unit_amount]=', { param: 'currency_options[usd][unit_amount]' }],
    ['POST', '/v1/coupons', '', { code: 'parameter_missing', param: 'percent_off' }],
    ['POST', '/v1/coupons', 'percent_off=10&amount_off=10&currency=eur', { code: 'parameters_exclusive', param: 'percent_off' }],
    ...['percent_off=0', 'percent_off=100.1', 'percent_off=ten', 'percent_off=10&duration=twice', 'percent_off=10&max_redemptions=0'].map(
      (params): [string, string, string, { param: string }] => [
        'POST',
        '/v1/coupons',
        params,
        { param: params.split('&').at(-1)?.split('=')[0] ?? '' },
      ],
    ),
    ['POST', '/v1/coupons', 'amount_off=10', { code: 'parameter_missing', param: 'currency' }],
    ['POST', '/v1/coupons', 'amount_off=0&currency=eur', { param: 'amount_off' }],
    ['POST', '/v1/coupons', 'amount_off=10&currency=euro', { param: 'currency' }],
    ['POST', '/v1/coupons', 'percent_off=10&currency_options[usd][amount_off]=1', { param: 'currency_options' }],
    ['POST', '/v1/coupons', 'percent_off=10&duration=repeating', { code: 'parameter_missing', param: 'duration_in_months' }],
    ['POST', '/v1/coupons', 'percent_off=10&duration_in_months=3', { param: 'duration_in_months' }],
    [
      'POST',
      '/v1/coupons',
      'percent_off=10&applies_to[products][0]=prod_1b',
      { code: 'resource_missing', param: 'applies_to[products][0]' },
    ],
    ['POST', '/v1/coupons', 'percent_off=10&applies_to[prices][0]=price_1b', { code: 'resource_missing', param: 'applies_to[prices][0]' }],
    ['POST', '/v1/coupons', 'percent_off=10&id=SPRING', { code: 'resource_already_exists', param: 'id' }],
    ['POST', '/v1/coupons/SPRING', 'percent_off=10', { code: 'parameter_unknown', param: 'percent_off' }],
    ['POST', '/v1/coupons/SPRING', 'currency_options[usd][amount_off]=1', { param: 'currency_options' }],
    ['GET', '/v1/coupons/SPRINGb', '', { status: 404, code: 'resource_missing' }],
    ...(
      [
        [GRANT.replace('customer=cus_1', 'customer=cus_1b'), 'customer', 'resource_missing'],
        [GRANT.replace('[value]=1000', '[value]=0'), 'amount[monetary][value]'],
        [GRANT.replace('[value]=1000', `[value]=${BIG}`), 'amount[monetary][value]'],
        [GRANT.replace('=eur', '=xxx'), 'amount[monetary][currency]'],
        [GRANT.replace('amount[type]=monetary', 'amount[type]=tokens'), 'amount[type]'],
        [GRANT.replace('=metered', '=one_time'), 'applicability_config[scope][price_type]'],
        [`${GRANT}&applicability_config[scope][prices][0][id]=price_1`, 'applicability_config[scope][prices]', 'parameters_exclusive'],
        [
          'customer=cus_1&amount[type]=monetary&amount[monetary][currency]=eur&amount[monetary][value]=1',
          'applicability_config',
          'parameter_missing',
        ],
        [
          GRANT.replace('[price_type]=metered', '[prices][0][id]=price_1b'),
          'applicability_config[scope][prices][0][id]',
          'resource_missing',
        ],
        [`${GRANT}&category=free`, 'category'],
        [`${GRANT}&priority=101`, 'priority'],
        [`${GRANT}&effective_at=1`, 'effective_at'],
        [`${GRANT}&expires_at=1`, 'expires_at'],
        [`${GRANT}&customer_account=acct_9`, 'customer_account', 'parameter_unknown'],
      ] as [string, string, string?][]
    ).map(
      ([body, param, code]): BadValue => ['POST', '/v1/billing/credit_grants', body, { param, ...(code === undefined ? {} : { code }) }],
    ),
    ['POST', '/v1/billing/credit_grants/credgr_1', 'priority=1', { code: 'parameter_unknown', param: 'priority' }],
    ['POST', '/v1/billing/credit_grants/credgr_1', 'expires_at=1', { param: 'expires_at' }],
    ['POST', '/v1/billing/credit_grants/credgr_over', 'expires_at=', {}],
    ['POST', '/v1/billing/credit_grants/credgr_over/expire', '', {}],
    ['POST', '/v1/billing/credit_grants/credgr_used/void', '', {}],
    ['POST', '/v1/billing/credit_grants/credgr_1b/void', '', { status: 404, code: 'resource_missing' }],
    ['GET', '/v1/billing/credit_balance_transactions/crbtxn_x', '', { status: 404, code: 'resource_missing' }],
    ['GET', '/v1/billing/credit_balance_summary?customer=cus_1', '', { code: 'parameter_missing', param: 'filter' }],
    [
      'GET',
      '/v1/billing/credit_balance_summary?customer=cus_1b&filter[type]=credit_grant&filter[credit_grant]=credgr_1',
      '',
      { param: 'customer' },
    ],
    [
      'GET',
      '/v1/billing/credit_balance_summary?customer=cus_1&filter[type]=credit_grant&filter[credit_grant]=credgr_1b',
      '',
      { code: 'resource_missing', param: 'filter[credit_grant]' },
    ],
    [
      'GET',
      '/v1/billing/credit_balance_summary?customer=cus_1&filter[type]=applicability_scope',
      '',
      { code: 'parameter_missing', param: 'filter[applicability_scope]' },
    ],
    ['POST', '/v1/promotion_codes', 'code=X', { code: 'parameter_missing', param: 'promotion' }],
    [
      'POST',
      '/v1/promotion_codes',
      'promotion[type]=coupon&promotion[coupon]=SPRINGb',
      { code: 'resource_missing', param: 'promotion[coupon]' },
    ],
    [
      'POST',
      '/v1/promotion_codes',
      'promotion[type]=coupon&promotion[coupon]=LATE',
      { code: 'coupon_expired', param: 'promotion[coupon]' },
    ],
    [
      'POST',
      '/v1/promotion_codes',
      'promotion[type]=coupon&promotion[coupon]=SPRING&code=WELCOME',
      { code: 'resource_already_exists', param: 'code' },
    ],
    ['POST', '/v1/promotion_codes', 'promotion[type]=coupon&promotion[coupon]=SPRING&code=a%20b', { param: 'code' }],
    [
      'POST',
      '/v1/promotion_codes',
      'promotion[type]=coupon&promotion[coupon]=SPRING&customer=cus_1b',
      { code: 'resource_missing', param: 'customer' },
    ],
    [
      'POST',
      '/v1/promotion_codes',
      'promotion[type]=coupon&promotion[coupon]=SPRING&restrictions[minimum_amount]=1',
      { code: 'parameter_missing', param: 'restrictions[minimum_amount_currency]' },
    ],
    ['POST', '/v1/promotion_codes/promo_1', 'code=OTHER', { code: 'parameter_unknown', param: 'code' }],
    ['POST', '/v1/customers', 'coupon=SPRINGb', { code: 'resource_missing', param: 'coupon' }],
    ['POST', '/v1/customers/cus_1', 'coupon=LATE', { code: 'coupon_expired', param: 'coupon' }],
    ['POST', '/v1/customers/cus_1', 'coupon=SPRING&promotion_code=promo_1', { code: 'parameters_exclusive', param: 'coupon' }],
    ['POST', '/v1/customers/cus_1', 'promotion_code=promo_1', { code: 'promotion_code_restricted', param: 'promotion_code' }],
    ['DELETE', '/v1/customers/cus_1/discount', '', { status: 404, code: 'resource_missing' }],
    ['DELETE', '/v1/subscriptions/sub_1/discount', '', { status: 404, code: 'resource_missing' }],
    ...(
      [
        ['coupon=SPRINGb', 'resource_missing', '[coupon]'],
        ['coupon=LATE', 'coupon_expired', '[coupon]'],
        ['coupon=DOLLARS', 'currency_mismatch', '[coupon]'],
        ['promotion_code=promo_1b', 'resource_missing', '[promotion_code]'],
        ['promotion_code=promo_off', 'coupon_expired', '[promotion_code]'],
        ['discount=di_nothing', 'resource_missing', '[discount]'],
        ['coupon=SPRING&PLACE[0][discount]=di_1', 'parameters_exclusive', ''],
        ['colour=red', 'parameter_unknown', '[colour]'],
      ] as const
    ).flatMap(([what, code, at]): [string, string, string, { code: string; param: string }][] => {
      const refusal = (place: string) =>
        [`${place}[0][${what.replace('PLACE', place).replace('=', ']=')}`, { code, param: `${place}[0]${at}` }] as const;
      const inItem = refusal('items[0][discounts]');
      return [
        ['POST', '/v1/subscriptions', `customer=cus_1&items[0][price]=price_1&${refusal('discounts')[0]}`, refusal('discounts')[1]],
        ['POST', '/v1/subscriptions', `customer=cus_1&items[0][price]=price_1&${inItem[0]}`, inItem[1]],
        ['POST', '/v1/subscriptions/sub_1', ...refusal('discounts')],
        ['POST', '/v1/subscriptions/sub_1', `items[0][id]=si_1&${inItem[0]}`, inItem[1]],
        ['POST', '/v1/invoices/create_preview', `subscription=sub_1&${refusal('discounts')[0]}`, refusal('discounts')[1]],
        ['POST', '/v1/invoiceitems', `customer=cus_1&amount=100&currency=eur&${refusal('discounts')[0]}`, refusal('discounts')[1]],
      ];
    }),
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'discounts[0][coupon]=SPRING&discounts[1][coupon]=SPRING',
      { code: 'parameter_invalid', param: 'discounts[1]' },
    ],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'discounts[0][coupon]=SPRING&payment_behavior=pending_if_incomplete',
      { code: 'parameter_invalid', param: 'discounts' },
    ],
    ['POST', '/v1/tax_rates', 'display_name=x&percentage=101&inclusive=true', { param: 'percentage' }],
    ['POST', '/v1/tax_rates', 'display_name=x&percentage=1.23456&inclusive=true', { param: 'percentage' }],
    ['POST', '/v1/tax_rates', 'display_name=x&percentage=1&inclusive=1', { param: 'inclusive' }],
    ['POST', '/v1/payment_methods', 'type=card&card[number]=4242424242424242', { code: 'parameter_unknown', param: 'card[number]' }],
    ['POST', '/v1/payment_methods', 'type=card&card[token]=tok_nothing', { code: 'resource_missing', param: 'card[token]' }],
    ['POST', '/v1/payment_methods/pm_card_visa/attach', 'customer=cus_1b', { code: 'resource_missing', param: 'customer' }],
    ['POST', '/v1/payment_methods/pm_1/attach', 'customer=cus_nothing', { code: 'resource_missing', param: 'customer' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1b&items[0][price]=price_1', { status: 400, code: 'resource_missing' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1b', { status: 400, code: 'resource_missing' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1', { code: 'parameter_missing', param: 'items' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&items[0][quantity]=-1', { param: 'items[0][quantity]' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&items[0][quantity]=1.5', { param: 'items[0][quantity]' }],
    ['POST', '/v1/subscriptions', `customer=cus_1&items[0][price]=price_1&items[0][quantity]=${BIG}`, { param: 'items[0][quantity]' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_dear&items[0][quantity]=999999999', { code: 'amount_too_large' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&currency=usd', { status: 400 }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&cancel_at=1', { status: 400 }],
    ['POST', '/v1/subscriptions', `customer=cus_1&items[0][price]=price_1&cancel_at=${BIG}`, { param: 'cancel_at' }],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&cancel_at=1900000000&cancel_at_period_end=true',
      { code: 'parameters_exclusive' },
    ],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&billing_cycle_anchor=1', { param: 'billing_cycle_anchor' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&billing_cycle_anchor=now', { param: 'billing_cycle_anchor' }],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&billing_cycle_anchor=9000000000',
      { param: 'billing_cycle_anchor' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&billing_cycle_anchor=9000000000&billing_cycle_anchor_config[day_of_month]=1',
      { code: 'parameters_exclusive' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&billing_cycle_anchor_config[day_of_month]=32',
      { param: 'billing_cycle_anchor_config[day_of_month]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&billing_cycle_anchor_config[hour]=1',
      { code: 'parameter_missing', param: 'billing_cycle_anchor_config[day_of_month]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&backdate_start_date=9000000000',
      { param: 'backdate_start_date' },
    ],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&backdate_start_date=0', { param: 'backdate_start_date' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&proration_behavior=maybe', { param: 'proration_behavior' }],
    ['POST', '/v1/subscriptions/sub_1', 'items[0][id]=si_1&items[0][price]=price_2&effective_at=1', { param: 'effective_at' }],
    ['POST', '/v1/subscriptions/sub_1', 'items[0][id]=si_1&items[0][price]=price_2&effective_at=soon', { param: 'effective_at' }],
    ['POST', '/v1/subscriptions/sub_1', 'effective_at=period_end', { param: 'effective_at' }],
    ['POST', '/v1/subscriptions/sub_1', 'effective_at=period_end&cancel_at_period_end=true', { param: 'cancel_at' }],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'effective_at=period_end&items[0][id]=si_1&items[0][quantity]=2&items[0][metadata][a]=b',
      { code: 'parameters_exclusive', param: 'items[0][metadata]' },
    ],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'effective_at=period_end&items[0][id]=si_1&items[0][price]=price_1b',
      { code: 'resource_missing', param: 'items[0][price]' },
    ],
    ['POST', '/v1/subscription_items/si_1', 'quantity=2&effective_at=1', { param: 'effective_at' }],
    ['DELETE', '/v1/subscription_items/si_1?effective_at=period_end', '', { code: 'parameter_unknown', param: 'effective_at' }],
    ['POST', '/v1/subscription_schedules', 'customer=cus_1', { code: 'parameter_missing', param: 'phases' }],
    ['POST', '/v1/subscription_schedules', `${PHASE}`, { code: 'parameter_missing', param: 'customer' }],
    ['POST', '/v1/subscription_schedules', `customer=cus_9&${PHASE}`, { status: 400, param: 'customer' }],
    ['POST', '/v1/subscription_schedules', 'from_subscription=sub_9', { status: 400, param: 'from_subscription' }],
    ['POST', '/v1/subscription_schedules', 'from_subscription=sub_1&end_behavior=cancel', { param: 'end_behavior' }],
    ['POST', '/v1/subscription_schedules', `customer=cus_1&${PHASE}&end_behavior=renew`, { param: 'end_behavior' }],
    ['POST', '/v1/subscription_schedules', `customer=cus_1&${PHASE}&phases[0][iterations]=2`, { code: 'parameter_unknown' }],
    ['POST', '/v1/subscription_schedules', `customer=cus_1&${PHASE}&phases[0][duration][interval]=moon`, { status: 400 }],
    ['POST', '/v1/subscription_schedules', `customer=cus_1&${PHASE}&phases[0][end_date]=5`, { param: 'phases[0][end_date]' }],
    ['POST', '/v1/subscription_schedules', `customer=cus_1&${PHASE}&start_date=tomorrow`, { param: 'start_date' }],
    ['POST', '/v1/subscription_schedules', `customer=cus_1&${PHASE}&start_date=0`, { code: 'date_out_of_range' }],
    ['POST', '/v1/subscription_schedules', 'customer=cus_1&phases[0][items][0][price]=price_1b', { param: 'phases[0][items][0][price]' }],
    [
      'POST',
      '/v1/subscription_schedules',
      `customer=cus_1&${PHASE}&phases[0][discounts][0][coupon]=NOPE`,
      { param: 'phases[0][discounts][0][coupon]' },
    ],
    ['POST', '/v1/subscription_schedules', `customer=cus_1&${PHASE}&phases[0][discounts][0][discount]=di_1`, { code: 'parameter_unknown' }],
    [
      'POST',
      '/v1/subscription_schedules',
      `customer=cus_1&${PHASE}&phases[0][items][0][discounts][0][promotion_code]=promo_9`,
      { code: 'resource_missing', param: 'phases[0][items][0][discounts][0][promotion_code]' },
    ],
    [
      'POST',
      '/v1/subscription_schedules',
      `customer=cus_1&${PHASE}&phases[0][add_invoice_items][0][price]=price_1`,
      { param: 'phases[0][add_invoice_items][0][price]' },
    ],
    [
      'POST',
      '/v1/subscription_schedules',
      `customer=cus_1&${PHASE}&phases[0][collection_method]=send_invoice`,
      { code: 'parameter_missing', param: 'phases[0][invoice_settings][days_until_due]' },
    ],
    [
      'POST',
      '/v1/subscription_schedules',
      `customer=cus_1&${PHASE}&phases[0][invoice_settings][days_until_due]=14`,
      { param: 'phases[0][invoice_settings][days_until_due]' },
    ],
    ['POST', '/v1/subscription_schedules/sub_sched_9', 'end_behavior=cancel', { status: 404 }],
    ['POST', '/v1/subscription_schedules/sub_sched_9/release', '', { status: 404 }],
    ['POST', '/v1/subscription_schedules/sub_sched_9/cancel', '', { status: 404 }],
    ['POST', '/v1/quotes', 'line_items[0][price]=price_1', { code: 'parameter_missing', param: 'customer' }],
    ['POST', '/v1/quotes', 'customer=cus_1', { code: 'parameter_missing', param: 'line_items' }],
    ['POST', '/v1/quotes', 'customer=cus_9&line_items[0][price]=price_1', { status: 400, param: 'customer' }],
    ['POST', '/v1/quotes', 'customer=cus_1&line_items[0][price]=price_9', { param: 'line_items[0][price]' }],
    ['POST', '/v1/quotes', 'customer=cus_1&line_items[0][price]=price_1b', { param: 'line_items[0][price]' }],
    ['POST', '/v1/quotes', 'customer=cus_1&line_items[0][price]=price_1&expires_at=5', { param: 'expires_at' }],
    ['POST', '/v1/quotes', 'customer=cus_1&line_items[0][price]=price_1&collection_method=by_post', { param: 'collection_method' }],
    ['POST', '/v1/quotes', 'customer=cus_1&line_items[0][price]=price_1&subscription_data[trial_period_days]=0', { status: 400 }],
    ['POST', '/v1/quotes', 'from_quote[quote]=qt_9', { status: 400, param: 'from_quote[quote]' }],
    ['POST', '/v1/quotes/qt_9/finalize', '', { status: 404 }],
    ['POST', '/v1/quotes/qt_9/accept', '', { status: 404 }],
    ['POST', '/v1/quotes/qt_9/cancel', '', { status: 404 }],
    ['GET', '/v1/quotes?status=lost', '', { param: 'status' }],
    ['GET', '/v1/subscription_schedules?starting_after=sub_sched_9', '', { param: 'starting_after' }],
    ['POST', '/v1/invoices/create_preview', 'schedule=sub_sched_9', { status: 400, param: 'schedule' }],
    ['POST', '/v1/invoices/create_preview', 'customer=cus_1&schedule_details[end_behavior]=cancel', { param: 'schedule_details[phases]' }],
    ['GET', '/v1/subscriptions/sub_1/scheduled_changes?status=lost', '', { param: 'status' }],
    ['POST', '/v1/subscriptions/sub_1', 'billing_cycle_anchor=1', { param: 'billing_cycle_anchor' }],
    ['POST', '/v1/subscriptions/sub_1', 'billing_cycle_anchor=9000000000', { param: 'billing_cycle_anchor' }],
    ['POST', '/v1/subscriptions/sub_1', 'billing_cycle_anchor=later', { param: 'billing_cycle_anchor' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&default_payment_method=pm_1b', { status: 400 }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&default_tax_rates[0]=txr_1b', { status: 400 }],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&trial_from_plan=true',
      { code: 'parameter_unknown', param: 'trial_from_plan' },
    ],
    ...[
      'trial_reuse=never',
      'trial_period_days=0',
      'trial_period_days=731',
      'trial_period_days=1.5',
      'trial_end=1',
      `trial_end=${BIG}`,
      'trial_end=soon',
    ].map((param): [string, string, string, { param: string }] => [
      'POST',
      '/v1/subscriptions',
      `customer=cus_1&items[0][price]=price_1&${param}`,
      { param: param.split('=')[0] ?? '' },
    ]),
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&trial_period_days=7&trial_end=now',
      { code: 'parameters_exclusive', param: 'trial_end' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&trial_settings[end_behavior][missing_payment_method]=ignore',
      { param: 'trial_settings[end_behavior][missing_payment_method]' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&add_invoice_items[0][price]=price_2',
      { param: 'add_invoice_items[0][price]' },
    ],
    ['POST', '/v1/subscriptions/sub_1', 'trial_end=now', { param: 'trial_end' }],
    ['POST', '/v1/subscriptions/sub_1', 'trial_end=1', { param: 'trial_end' }],
    ['POST', '/v1/subscriptions/sub_1', 'trial_period_days=7', { param: 'trial_period_days' }],
    ['POST', '/v1/subscriptions/sub_1', 'trial_change_behavior=end_now', { param: 'trial_change_behavior' }],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'items[0][id]=si_1&items[0][price]=price_2&trial_change_behavior=new_length_from_start',
      { code: 'parameter_missing', param: 'trial_period_days' },
    ],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'items[0][id]=si_1&items[0][price]=price_2&trial_change_behavior=end_now&trial_end=now',
      { code: 'parameters_exclusive', param: 'trial_end' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&payment_behavior=pending_if_incomplete',
      { param: 'payment_behavior' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_1&items[0][price]=price_1&collection_method=send_invoice',
      { code: 'parameter_missing', param: 'days_until_due' },
    ],
    ['POST', '/v1/subscriptions/sub_1', 'items[0][id]=si_1b&items[0][quantity]=2', { status: 400 }],
    ['POST', '/v1/subscriptions/sub_1', 'items[0][quantity]=2', { code: 'parameter_missing', param: 'items[0][price]' }],
    ['POST', '/v1/subscriptions/sub_1', 'items[0][id]=si_1&items[0][deleted]=true', { status: 400 }],
    ['POST', '/v1/subscriptions/sub_1', 'items[0][deleted]=true', { code: 'parameter_missing', param: 'items[0][id]' }],
    ['POST', '/v1/subscriptions/sub_1', 'items[0][id]=si_1&items[0][price]=price_2&proration_date=1', { status: 400 }],
    ['POST', '/v1/subscriptions/sub_1', 'cancel_at=1', { status: 400 }],
    ['POST', '/v1/subscriptions/sub_1', 'pause_collection[behavior]=forget', { param: 'pause_collection[behavior]' }],
    ['POST', '/v1/subscriptions/sub_1', 'pause_collection[resumes_at]=9000000000', { param: 'pause_collection[behavior]' }],
    [
      'POST',
      '/v1/subscriptions/sub_1',
      'pause_collection[behavior]=void&pause_collection[resumes_at]=1',
      { param: 'pause_collection[resumes_at]' },
    ],
    ['POST', '/v1/subscriptions/sub_1/pause', 'effective_at=1', { param: 'effective_at' }],
    ['POST', '/v1/subscriptions/sub_1/pause', 'effective_at=soon', { param: 'effective_at' }],
    ['POST', '/v1/subscriptions/sub_1/pause', 'resumes_at=1', { param: 'resumes_at' }],
    ['POST', '/v1/subscriptions/sub_1/pause', 'unused_time=burn', { param: 'unused_time' }],
    ['POST', '/v1/subscriptions/sub_1/pause', 'unused_time=extend&billing_cycle_anchor=unchanged', { param: 'billing_cycle_anchor' }],
    ['POST', '/v1/subscriptions/sub_1/resume', '', { status: 400 }],
    ['POST', '/v1/subscriptions/sub_1/resume', 'payment_behavior=resume_on_payment_success', { param: 'payment_behavior' }],
    ['POST', '/v1/subscriptions/sub_1/reactivate', '', { status: 400 }],
    ['POST', '/v1/subscriptions/sub_1/pause', 'preview_token=pvt_x.y', { param: 'preview_token' }],
    ['POST', '/v1/subscriptions/sub_1/reactivate', 'preview_token=x', { param: 'preview_token' }],
    ['POST', '/v1/subscriptions/sub_1b/pause', '', { status: 404 }],
    ['POST', '/v1/subscriptions/sub_1b/reactivate', '', { status: 404 }],
    ['POST', '/v1/subscriptions/sub_1', 'default_payment_method=pm_1b', { status: 400 }],
    ['DELETE', '/v1/subscriptions/sub_1?prorate=maybe', '', { param: 'prorate' }],
    ['GET', '/v1/subscriptions?status=asleep', '', { param: 'status' }],
    ['POST', '/v1/subscription_items', 'subscription=sub_1b&price=price_1', { code: 'resource_missing', param: 'subscription' }],
    ['POST', '/v1/subscription_items', 'subscription=sub_1&price=price_1b', { status: 400 }],
    ['POST', '/v1/subscription_items/si_1', 'quantity=x', { param: 'quantity' }],
    ['DELETE', '/v1/subscription_items/si_1', '', { status: 400 }],
    ['GET', '/v1/subscription_items?subscription=sub_1b', '', { code: 'resource_missing', param: 'subscription' }],
    ['GET', '/v1/subscription_items', '', { code: 'parameter_missing', param: 'subscription' }],
    ['GET', '/v1/payment_methods', '', { code: 'parameter_missing', param: 'customer' }],
    ['GET', '/v1/invoices?status=lost', '', { param: 'status' }],
    ['POST', '/v1/account', 'invoice_grace_seconds=259201', { param: 'invoice_grace_seconds' }],
    ['POST', '/v1/account', 'invoice_grace_seconds=-1', { param: 'invoice_grace_seconds' }],
    ['POST', '/v1/account', 'invoice_grace_seconds=an%20hour', { param: 'invoice_grace_seconds' }],
    ['POST', '/v1/invoiceitems', '', { code: 'parameter_missing', param: 'customer' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1', { code: 'parameter_missing', param: 'amount' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1b&amount=100&currency=eur', { code: 'resource_missing', param: 'customer' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=100', { code: 'parameter_missing', param: 'currency' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=1.5&currency=eur', { param: 'amount' }],
    ['POST', '/v1/invoiceitems', `customer=cus_1&amount=${BIG}&currency=eur`, { param: 'amount' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=100&currency=xxx', { param: 'currency' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=100&currency=eur&quantity=2', { param: 'quantity' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=1&unit_amount_decimal=1&currency=eur', { param: 'unit_amount_decimal' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&unit_amount_decimal=0.1234567890123&currency=eur', { param: 'unit_amount_decimal' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&unit_amount_decimal=999999999999&currency=eur&quantity=9', { code: 'amount_too_large' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&unit_amount_decimal=1&currency=eur&quantity=-1', { param: 'quantity' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&pricing[price]=price_1', { param: 'pricing[price]' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&pricing[price]=price_1b', { code: 'resource_missing', param: 'pricing[price]' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&price=price_1', { code: 'parameter_unknown', param: 'price' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=1&currency=eur&invoice=in_1', { code: 'invoice_not_editable', param: 'invoice' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=1&currency=eur&invoice=in_1b', { code: 'resource_missing', param: 'invoice' }],
    [
      'POST',
      '/v1/invoiceitems',
      'customer=cus_1&amount=1&currency=eur&subscription=sub_1b',
      { code: 'resource_missing', param: 'subscription' },
    ],
    [
      'POST',
      '/v1/invoiceitems',
      'customer=cus_1&amount=1&currency=usd&subscription=sub_1',
      { code: 'currency_mismatch', param: 'currency' },
    ],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=1&currency=eur&tax_rates[0]=txr_1b', { status: 400, code: 'resource_missing' }],
    ['POST', '/v1/invoiceitems', 'customer=cus_1&amount=1&currency=eur&period[start]=2&period[end]=1', { param: 'period[end]' }],
    [
      'POST',
      '/v1/invoiceitems',
      'customer=cus_1&amount=1&currency=eur&period[start]=2',
      { code: 'parameter_missing', param: 'period[end]' },
    ],
    ['POST', '/v1/invoices', '', { code: 'parameter_missing', param: 'customer' }],
    ['POST', '/v1/invoices', 'customer=cus_1b', { code: 'resource_missing', param: 'customer' }],
    [
      'POST',
      '/v1/invoices',
      'customer=cus_1&pending_invoice_items_behavior=include&currency=eur',
      { param: 'pending_invoice_items_behavior' },
    ],
    ['POST', '/v1/invoices', 'customer=cus_1&pending_invoice_items_behavior=all', { param: 'pending_invoice_items_behavior' }],
    ['POST', '/v1/invoices', 'customer=cus_1&currency=zzz', { param: 'currency' }],
    ['POST', '/v1/invoices', 'customer=cus_1&auto_advance=true', { param: 'auto_advance' }],
    [
      'POST',
      '/v1/invoices',
      'customer=cus_1&currency=eur&collection_method=send_invoice',
      { code: 'parameter_missing', param: 'days_until_due' },
    ],
    ['POST', '/v1/invoices', 'customer=cus_1&currency=eur&due_date=4000000000', { param: 'due_date' }],
    ['POST', '/v1/invoices', 'customer=cus_1&currency=eur&days_until_due=30', { param: 'days_until_due' }],
    ['POST', '/v1/invoices', `customer=cus_1&description=${LONG}`, { param: 'description' }],
    ['DELETE', '/v1/invoices/in_1', '', { code: 'invoice_not_editable' }],
    ['GET', '/v1/invoiceitems?pending=perhaps', '', { param: 'pending' }],
    ['POST', '/v1/invoices/in_1', 'auto_advance=false', { code: 'invoice_not_editable', param: 'auto_advance' }],
    ['POST', '/v1/invoices/in_1', 'auto_advance=1', { param: 'auto_advance' }],
    ['POST', '/v1/invoices/in_1', 'description=late', { code: 'invoice_not_editable', param: 'description' }],
    ['POST', '/v1/invoices/in_1', 'footer=late', { code: 'invoice_not_editable', param: 'footer' }],
    ['POST', '/v1/invoices/in_1', 'due_date=1900000000', { code: 'parameter_unknown', param: 'due_date' }],
    ['POST', '/v1/invoices/in_1', `metadata[${'k'.repeat(41)}]=v`, { status: 400 }],
    ['POST', '/v1/invoices/in_1/finalize', 'auto_advance=maybe', { param: 'auto_advance' }],
    ['POST', '/v1/invoices/in_1/pay', 'payment_method=pm_1b', { code: 'resource_missing', param: 'payment_method' }],
    ['POST', '/v1/invoices/in_1/pay', 'paid_out_of_band=perhaps', { param: 'paid_out_of_band' }],
    [
      'POST',
      '/v1/invoices/in_1/pay',
      'paid_out_of_band=true&payment_method=pm_1',
      { code: 'parameters_exclusive', param: 'payment_method' },
    ],
    ['POST', '/v1/invoices/in_1/send', '', { code: 'status_transition_invalid' }],
    ['POST', '/v1/invoices/create_preview', '', { code: 'parameter_missing', param: 'customer' }],
    ['POST', '/v1/invoices/create_preview', 'customer=cus_1', { code: 'parameter_missing', param: 'subscription_details[items]' }],
    ['POST', '/v1/invoices/create_preview', 'subscription=sub_1b', { code: 'resource_missing', param: 'subscription' }],
    ['POST', '/v1/invoices/create_preview', 'subscription=sub_1&customer=cus_1b', { code: 'resource_missing', param: 'customer' }],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[cancel_now]=true&subscription_details[items][0][price]=price_2',
      { status: 400 },
    ],
    ['POST', '/v1/invoices/create_preview', 'customer=cus_1&subscription_details[items][0][price]=price_1b', { status: 400 }],
    ['POST', '/v1/invoices/create_preview', 'customer=cus_1b&subscription_details[items][0][price]=price_1', { status: 400 }],
    ['POST', '/v1/invoices/create_preview', 'customer_details[tax_exempt]=reverse', { param: 'subscription_details[items]' }],
    ['POST', '/v1/invoices/create_preview', 'customer_details[tax_ids][0][type]=eu_vat', { param: 'customer_details[tax_ids]' }],
    ['POST', '/v1/invoices/create_preview', 'subscription=sub_1&periods=37', { param: 'periods' }],
    ['POST', '/v1/invoices/create_preview', 'subscription=sub_1&preview_token=x', { code: 'parameter_unknown', param: 'preview_token' }],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[billing_timezone]=UTC',
      { param: 'subscription_details[billing_timezone]' },
    ],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[pause_at]=soon',
      { param: 'subscription_details[pause_at]' },
    ],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[pause_at]=1',
      { param: 'subscription_details[pause_at]' },
    ],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[pause_at]=now&subscription_details[unused_time]=burn',
      { param: 'subscription_details[unused_time]' },
    ],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[unused_time]=credit',
      { param: 'subscription_details[unused_time]' },
    ],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[pause_at]=now&subscription_details[cancel_at_period_end]=true',
      { param: 'subscription_details[cancel_at_period_end]' },
    ],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[reactivate_at]=now&subscription_details[pause_at]=now',
      { param: 'subscription_details[reactivate_at]' },
    ],
    [
      'POST',
      '/v1/invoices/create_preview',
      'subscription=sub_1&subscription_details[reactivate_at]=1',
      { param: 'subscription_details[reactivate_at]' },
    ],
    ['POST', '/v1/invoices/create_preview', 'subscription=sub_1&subscription_details[reactivate_at]=now', { status: 400 }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&preview_token=x', { param: 'preview_token' }],
    ['POST', '/v1/subscriptions', 'customer=cus_1&items[0][price]=price_1&preview_token=', { param: 'preview_token' }],
    ['POST', '/v1/subscriptions/sub_1', 'items[0][id]=si_1&items[0][quantity]=3&preview_token=pvt_e30.AAAA', { param: 'preview_token' }],
    ['POST', '/v1/subscriptions/sub_1', 'description=x&preview_token=pvt_', { param: 'preview_token' }],
    ['DELETE', '/v1/subscriptions/sub_1?preview_token=pvt_x.y', '', { param: 'preview_token' }],
    ['POST', '/v1/subscription_items', 'subscription=sub_1&price=price_2&preview_token=x', { param: 'preview_token' }],
    ['POST', '/v1/subscription_items/si_1', 'quantity=3&preview_token=x', { param: 'preview_token' }],
    ['DELETE', '/v1/subscription_items/si_1?preview_token=x', '', { param: 'preview_token' }],
    ['GET', '/v1/events?type=customer.created&types[]=a.b', '', { code: 'parameters_exclusive', param: 'type' }],
    ['GET', '/v1/events?type=DROP%20TABLE', '', { param: 'type' }],
    ['POST', '/v1/customers?name=x', 'name=y', { status: 400 }],
    ['GET', '/v1/nothing', '', { status: 404 }],
    ['PUT', '/v1/customers/cus_1', 'name=x', { status: 404 }],
    ['GET', '/', '', { status: 404 }],
    ['GET', '/v1/Customers', '', { status: 404 }],
  ])('%s %s %s', async (method, path, body, expected) => {
    await expectRefusal(await api.request(method, path, method === 'GET' ? {} : { body }), {
      ...(expected.status === undefined ? { status: 400 } : {}),
      ...expected,
    });
  });

  it('says what it does not know by its method and path', async () => {
    const { body } = await api.request('GET', '/v1/nothing');
    expect(body['error'].message).toBe('Unrecognized request URL (GET: /v1/nothing).');
  });
});
