import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Route } from '../../../api/define-route.ts';
import { ROUTES } from '../../../api/routes/index.ts';
import { type Answer, KEYS } from '../harness.ts';
import { refusals } from './refusals.ts';

const { request, expectRefusal } = refusals();

/** Small on the wire, five megabytes when unpacked. */
const BOMB = gzipSync('a'.repeat(5_000_000));
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
const pathOf = (route: Route, id = OWN[route.path.split('/')[2] ?? ''] ?? 'x'): string =>
  route.path.replace(':id', id).replace(':method', 'pm_1').replace(':change', 'schg_1').replace(':feature', 'prodft_1');
const named = ROUTES.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const);
const send = (route: Route, params: string, headers: Record<string, string> = {}, path = pathOf(route)): Promise<Answer> =>
  route.method === 'post'
    ? request('POST', path, { body: params, headers })
    : request(route.method.toUpperCase(), params === '' ? path : `${path}?${params}`, { headers });

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
    await expectRefusal(await request(route.method.toUpperCase(), pathOf(route), { body: '{"a":"\\ud800"}', headers: json }), {
      status: 400,
    });
    await expectRefusal(await request(route.method.toUpperCase(), pathOf(route), { body: '{"a\\u0000":1}', headers: json }), {
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
      await expectRefusal(await request(method, path, { body, headers: { 'content-type': 'application/json' } }), { status: 400 });
    }
    await expectRefusal(await request(method, path, { body: '<a/>', headers: { 'content-type': 'application/xml' } }), { status: 415 });
    await expectRefusal(await request(method, path, { body: `a=${'x'.repeat(300_000)}` }), { status: 413 });
    await expectRefusal(await request(method, path, { body: BOMB, headers: { 'content-encoding': 'gzip' } }), {
      status: 413,
    });
    await expectRefusal(await request(method, path, { body: 'not gzip', headers: { 'content-encoding': 'gzip' } }), { status: 400 });
    await expectRefusal(await request(method, path, { body: 'a=1', headers: { 'content-encoding': 'nonsense' } }), { status: 415 });
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

it('says what it does not know by its method and path', async () => {
  const { body } = await request('GET', '/v1/nothing');
  expect(body['error'].message).toBe('Unrecognized request URL (GET: /v1/nothing).');
});
