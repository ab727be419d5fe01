import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { START } from './examples.ts';
import { type Api, KEYS, seed, startApi } from './harness.ts';
import { withoutTemporal } from './without-temporal.ts';

let now = START;
let api: Api;
beforeAll(async () => {
  api = await startApi(() => now);
  await seed(api.db, 'acct_1');
  withoutTemporal(api, () => now);
});
afterAll(() => api.stop());

it('docs/previews.md: every command runs, one after the other', async () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/previews.md', import.meta.url)), 'utf8');
  const commands = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, command = '']) => command);
  const customer = await api.stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  const subscription = await api.stripe.subscriptions.create({ customer: customer.id, items: [{ price: 'price_1', quantity: 2 }] });
  const env: Record<string, string> = {
    ...{ PATH: process.env['PATH'] ?? '', PERENNIAL: api.url, KEY: KEYS.acct_1 },
    ...{ SUBSCRIPTION: subscription.id, ITEM: subscription.items.data[0]!.id },
  };
  const answers: Record<string, unknown>[] = [];
  for (const command of commands) {
    now += 600;
    const { stdout } = await promisify(execFile)('sh', ['-c', command], { env });
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).not.toHaveProperty('error');
    if (typeof answer['preview_token'] === 'string') env['TOKEN'] = answer['preview_token'];
    if (answer['object'] === 'subscription') env['INVOICE'] = String(answer['latest_invoice']);
    answers.push(answer);
  }
  const [preview, applied, recomputed] = answers as [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>];
  expect((preview['upcoming'] as Stripe.ApiList<Stripe.Invoice>).data).toHaveLength(4);
  expect((await api.stripe.invoices.retrieve(String(applied['latest_invoice']))).total).toBe(preview['total']);
  expect(recomputed).toMatchObject({ object: 'invoice_recomputation', difference: 0 });
});
