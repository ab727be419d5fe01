import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROUTES } from '../../api/routes/index.ts';
import { type Api, startApi } from './harness.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const refs = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => (key === '$ref' && typeof inner === 'string' ? [inner] : refs(inner)));

it('documents every endpoint, with references that lead somewhere', async () => {
  const { body } = await api.request('GET', '/openapi.json', { headers: { authorization: '' } });
  expect(body['openapi']).toBe('3.1.0');
  for (const route of ROUTES) {
    const operation = body['paths'][route.path.replace(/:(\w+)/g, '{$1}')]?.[route.method];
    expect(operation?.responses['200'], `${route.method} ${route.path}`).toBeDefined();
  }
  const ids = Object.values(body['paths'] as Record<string, Record<string, { operationId: string }>>).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  for (const ref of refs(body)) expect(body['components'].schemas[ref.replace('#/components/schemas/', '')], ref).toBeDefined();
  const create = body['paths']['/v1/subscriptions'].post.requestBody.content['application/x-www-form-urlencoded'].schema;
  expect(create).toMatchObject({ additionalProperties: false, required: ['customer', 'items'] });
});

it('serves a docs page that needs no other host', async () => {
  const page = await api.request('GET', '/docs', { headers: { authorization: '' } });
  expect(page.status).toBe(200);
  expect(page.body['text']).toContain('/docs/scalar.js');
  expect(page.body['text']).not.toMatch(/https?:\/\//);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  const script = await fetch(`${api.url}/docs/scalar.js`);
  expect(script.status).toBe(200);
  expect(Number(script.headers.get('content-length'))).toBeGreaterThan(1_000_000);
  await script.body?.cancel();
});

it('tells its health, readiness and metrics without a key', async () => {
  expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${api.url}/readyz`)).json()).toEqual({ postgres: 'ok', temporal: 'ok' });
  api.commands.ready.mockRejectedValueOnce(new Error('gone'));
  const unready = await fetch(`${api.url}/readyz`);
  expect(unready.status).toBe(503);
  expect(await unready.json()).toEqual({ postgres: 'ok', temporal: 'no answer' });
  await api.request('GET', '/v1/customers/cus_secret');
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  expect(metrics).toContain('perennial_http_request_duration_seconds_count{method="GET",route="/v1/customers/:id",status="404"} 1');
  expect(metrics).not.toContain('cus_secret');
});

it('takes the key as Basic too, tolerates Stripe-Version and never says Express', async () => {
  const basic = Buffer.from('sk_test_firstaccount1:').toString('base64');
  const answer = await api.request('GET', '/v1/customers', {
    headers: { authorization: `Basic ${basic}`, 'stripe-version': '2026-10-28.endive' },
  });
  expect(answer).toMatchObject({ status: 200, body: { object: 'list', data: [], has_more: false, url: '/v1/customers' } });
  expect(answer.headers.get('x-powered-by')).toBeNull();
  expect(answer.headers.get('request-id')).toMatch(/^req_/);
});

it('takes JSON as people write it', async () => {
  const answer = await api.request('POST', '/v1/customers', {
    body: JSON.stringify({ name: 'Ada', metadata: { a: '1' }, email: null }),
    headers: { 'content-type': 'application/json; charset=utf-8' },
  });
  expect(answer).toMatchObject({ status: 200, body: { name: 'Ada', metadata: { a: '1' }, email: null } });
});
