import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { instant, isoInstant } from '../../domain/time.ts';
import { dunningWorkflowId } from '../../workflows/messages.ts';
import { withoutIds } from '../support/clock-lives.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, statusOf, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock, readyAgain } from '../support/test-clock.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

const calendarOf = async (customer: string): Promise<string[]> =>
  (await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice));

test('three years in one step, and the same life in small ones', { timeout: 300_000 }, async () => {
  const price = await newPrice(stripe, 1200);
  const live = async (steps: string[]) => {
    const clock = await newClock(stripe, '2024-01-31T10:00:00Z');
    const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price }] });
    expect(subscription).toMatchObject({ status: 'active', created: instant('2024-01-31T10:00:00Z'), test_clock: clock.id });
    const events: Stripe.Event[] = [];
    for (const step of steps) {
      await advanceTo(stripe, clock.id, step);
      events.push(...(await changesOf(stripe, clock.id)));
    }
    return { invoices: await invoicesOf(stripe, { customer }), events, subscription: await stripe.subscriptions.retrieve(subscription.id) };
  };
  const leap = await live(['2027-02-01T10:00:00Z']);
  expect(leap.invoices.map((invoice) => isoInstant(invoice.created))).toEqual(
    [
      '2024-01-31',
      '2024-02-29',
      '2024-03-31',
      '2024-04-30',
      '2024-05-31',
      '2024-06-30',
      '2024-07-31',
      '2024-08-31',
      '2024-09-30',
      '2024-10-31',
      '2024-11-30',
      '2024-12-31',
      '2025-01-31',
      '2025-02-28',
      '2025-03-31',
      '2025-04-30',
      '2025-05-31',
      '2025-06-30',
      '2025-07-31',
      '2025-08-31',
      '2025-09-30',
      '2025-10-31',
      '2025-11-30',
      '2025-12-31',
      '2026-01-31',
      '2026-02-28',
      '2026-03-31',
      '2026-04-30',
      '2026-05-31',
      '2026-06-30',
      '2026-07-31',
      '2026-08-31',
      '2026-09-30',
      '2026-10-31',
      '2026-11-30',
      '2026-12-31',
      '2027-01-31',
    ].map((day) => `${day}T10:00:00Z`),
  );
  expect(leap.invoices.every(({ status, amount_paid: paid }) => status === 'paid' && paid === 1200)).toBe(true);
  const numbers = leap.invoices.map(({ number }) => Number(number?.split('-').at(-1)));
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  expect(leap.events.map(({ created }) => created)).toEqual(leap.events.map(({ created }) => created).sort((a, b) => a - b));
  expect(leap.events.filter(({ type }) => type === 'invoice.paid')).toHaveLength(36);

  const walk = await live([
    '2024-01-31T10:00:01Z',
    '2024-02-29T10:00:00Z',
    '2024-08-01T00:00:00Z',
    '2025-01-31T09:59:59Z',
    '2026-12-31T10:00:00Z',
    '2027-02-01T10:00:00Z',
  ]);
  expect(withoutIds(walk)).toEqual(withoutIds(leap));
});

test('several customers, one of whom cannot pay, and one who never can again', { timeout: 300_000 }, async () => {
  const clock = await newClock(stripe, '2030-03-01T09:00:00Z');
  const price = await newPrice(stripe, 2500);
  const subscribe = async () => {
    const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price }] });
    return { customer, id };
  };
  const [steady, recovering, lost] = [await subscribe(), await subscribe(), await subscribe()];
  expect((await stripe.customers.list({ test_clock: clock.id, limit: 10 })).data).toHaveLength(3);
  await useCard(stripe, recovering.customer, 'pm_card_chargeCustomerFail');
  await useCard(stripe, lost.customer, 'pm_card_chargeCustomerFail');

  await advanceTo(stripe, clock.id, '2030-04-05T09:00:00Z');
  expect(await statusOf(stripe, steady.id)).toBe('active');
  expect(await statusOf(stripe, recovering.id)).toBe('past_due');
  expect((await invoicesOf(stripe, { customer: recovering.customer })).at(-1)?.next_payment_attempt).toBeGreaterThan(
    instant('2030-04-05T09:00:00Z'),
  );
  await useCard(stripe, recovering.customer, 'pm_card_visa');

  await advanceTo(stripe, clock.id, '2030-07-02T09:00:00Z');
  expect(await statusOf(stripe, recovering.id)).toBe('active');
  expect(await calendarOf(steady.customer)).toEqual([
    '2030-03-01 create EUR 25.00 paid',
    '2030-04-01 cycle EUR 25.00 paid',
    '2030-05-01 cycle EUR 25.00 paid',
    '2030-06-01 cycle EUR 25.00 paid',
    '2030-07-01 cycle EUR 25.00 paid',
  ]);
  expect(await calendarOf(recovering.customer)).toEqual(await calendarOf(steady.customer));
  const [, recovered] = await invoicesOf(stripe, { customer: recovering.customer });
  expect(isoInstant(recovered?.status_transitions.paid_at ?? 0), 'tried at once with the new card').toBe('2030-04-05T09:00:00Z');

  const ended = await stripe.subscriptions.retrieve(lost.id);
  expect(ended).toMatchObject({ status: 'canceled', cancellation_details: { reason: 'payment_failed' } });
  expect(ended.ended_at).toBeGreaterThan(instant('2030-04-05T09:00:00Z'));
  expect(ended.ended_at).toBeLessThan(instant('2030-05-01T09:00:00Z'));
  expect(await calendarOf(lost.customer)).toHaveLength(2);

  const changes = await changesOf(stripe, clock.id);
  const times = changes.map(({ created }) => created);
  expect(times, 'in the order of time, across customers and dunning').toEqual([...times].sort((a, b) => a - b));
  expect(times.every((at) => at > instant('2030-04-05T09:00:00Z') && at <= instant('2030-07-02T09:00:00Z'))).toBe(true);
  // Each customer's are written in that order too: nothing of a later day was recorded before something of an earlier one.
  const { data } = await stripe.events.list({ limit: 100 });
  const known = new Set(changes.map(({ id }) => id));
  for (const { customer } of [steady, recovering, lost]) {
    const own = data.filter(({ id, data: { object } }) => known.has(id) && JSON.stringify(object).includes(customer));
    const written = own.map(({ created }) => created);
    expect(written).toEqual([...written].sort((a, b) => b - a));
  }
});

test('an upgrade half-way, to the second', { timeout: 120_000 }, async () => {
  const clock = await newClock(stripe, '2027-04-01T00:00:00Z');
  const [basic, pro] = [await newPrice(stripe, 3000), await newPrice(stripe, 9000)];
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price: basic }] });
  await advanceTo(stripe, clock.id, '2027-04-16T00:00:00Z');
  const upgraded = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0]?.id ?? '', price: pro }],
    proration_behavior: 'always_invoice',
    expand: ['latest_invoice'],
  });
  const invoice = upgraded.latest_invoice as Stripe.Invoice;
  expect(invoice.lines.data.map(({ amount }) => amount)).toEqual([-1500, 4500]);
  expect(invoice).toMatchObject({ status: 'paid', created: instant('2027-04-16T00:00:00Z'), total: 3000, test_clock: clock.id });
  await advanceTo(stripe, clock.id, '2027-05-01T00:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2027-04-01 create EUR 30.00 paid',
    '2027-04-16 update EUR 30.00 paid',
    '2027-05-01 cycle EUR 90.00 paid',
  ]);
});

test('a debit settles as the time of the clock passes; an invoice paid by hand is paid at the frozen time', {
  timeout: 120_000,
}, async () => {
  const clock = await newClock(stripe, '2027-04-01T00:00:00Z');
  const price = await newPrice(stripe, 3000);
  const debtor = await newCustomer(stripe, 'pm_usBankAccount_success', { test_clock: clock.id });
  const debited = await stripe.subscriptions.create({ customer: debtor, items: [{ price }] });
  const late = await newCustomer(stripe, 'pm_card_chargeCustomerFail', { test_clock: clock.id });
  const unpaid = await stripe.subscriptions.create({ customer: late, items: [{ price }] });
  expect(unpaid.status).toBe('incomplete');

  await advanceTo(stripe, clock.id, '2027-04-01T12:00:00Z');
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: late });
  const paid = await stripe.invoices.pay(String(unpaid.latest_invoice), { payment_method: method.id });
  expect(paid).toMatchObject({ status: 'paid', status_transitions: { paid_at: instant('2027-04-01T12:00:00Z') } });

  await advanceTo(stripe, clock.id, '2027-04-05T00:00:00Z');
  const [settled] = await invoicesOf(stripe, { customer: debtor });
  expect(settled?.status).toBe('paid');
  expect(settled?.status_transitions.paid_at).toBeGreaterThanOrEqual(instant('2027-04-04T00:00:00Z'));
  for (const { id } of [debited, unpaid]) expect(await statusOf(stripe, id)).toBe('active');
});

/** A subscription whose upgrade could not be collected, so that its dunning is running. */
async function pastDue(more: Stripe.CustomerCreateParams = {}): Promise<{ customer: string; id: string }> {
  const customer = await newCustomer(stripe, 'pm_card_visa', more);
  const { id, items } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 3000) }] });
  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  const change = { items: [{ id: items.data[0]?.id ?? '', quantity: 2 }], proration_behavior: 'always_invoice' as const };
  expect(await stripe.subscriptions.update(id, change)).toMatchObject({ status: 'past_due' });
  return { customer, id };
}

test('deleting a clock deletes its customers and cancels their subscriptions, without a bill', { timeout: 120_000 }, async () => {
  const clock = await newClock(stripe, '2027-04-01T00:00:00Z');
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 3000) }] });
  const debtor = await pastDue({ test_clock: clock.id });
  await advanceTo(stripe, clock.id, '2027-04-16T00:00:00Z');
  expect(await stripe.testHelpers.testClocks.del(clock.id)).toEqual({ id: clock.id, object: 'test_helpers.test_clock', deleted: true });
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'canceled', canceled_at: instant('2027-04-16T00:00:00Z') });
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ deleted: true });
  expect(await invoicesOf(stripe, { customer })).toHaveLength(1);
  // No workflow of it is left, dunning neither.
  const [late] = await invoicesOf(stripe, { customer: debtor.customer, status: 'open' });
  await vi.waitFor(
    async () => {
      for (const workflowId of [id, debtor.id, dunningWorkflowId(late?.id ?? '')])
        expect((await stack.client.workflow.getHandle(workflowId).describe()).status.name, workflowId).toBe('COMPLETED');
    },
    { timeout: 60_000, interval: 200 },
  );
  await expect(stripe.testHelpers.testClocks.retrieve(clock.id)).rejects.toMatchObject({ statusCode: 404 });
  expect((await stripe.testHelpers.testClocks.list({ limit: 100 })).data.map((known) => known.id)).not.toContain(clock.id);
});

test('the example of docs/time-travel.md', { timeout: 120_000 }, async () => {
  const [, block = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/time-travel.md'), 'utf8')) ?? [];
  const runner = `import test from 'node:test'; import assert from 'node:assert/strict';
    const expect = (found: unknown) => ({ toEqual: (wanted: unknown) => assert.deepEqual(found, wanted) });`;
  const script = block.replace("import { expect, test } from 'vitest';", runner);
  expect(script).toContain('assert');
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', script], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], KEY: stack.apiKey, PORT: new URL(stack.apiUrl).port },
  });
  expect(stdout).toMatch(/pass 1/);
});

test('what is refused', { timeout: 120_000 }, async () => {
  const { testClocks } = stripe.testHelpers;
  const clock = await newClock(stripe, '2027-04-01T00:00:00Z');
  const now = clock.frozen_time;
  for (const frozen_time of [now, now - 1])
    await expect(testClocks.advance(clock.id, { frozen_time })).rejects.toMatchObject({ statusCode: 400, param: 'frozen_time' });
  await expect(testClocks.advance('clock_nothing', { frozen_time: now })).rejects.toMatchObject({ statusCode: 404 });
  await expect(stripe.customers.create({ test_clock: 'clock_nothing' })).rejects.toMatchObject({ statusCode: 400, param: 'test_clock' });

  const price = await newPrice(stripe, 100, { interval: 'day' });
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  await stripe.subscriptions.create({ customer, items: [{ price }] });
  const advancing = await testClocks.advance(clock.id, { frozen_time: now + 20 * 86_400 });
  expect(advancing).toMatchObject({
    status: 'advancing',
    frozen_time: now,
    status_details: { advancing: { target_frozen_time: now + 20 * 86_400 } },
  });
  const refused = { statusCode: 429, code: 'test_clock_advancing' };
  await expect(testClocks.advance(clock.id, { frozen_time: now + 400 * 86_400 })).rejects.toMatchObject(refused);
  await expect(stripe.subscriptions.create({ customer, items: [{ price }] })).rejects.toMatchObject(refused);
  await expect(stripe.customers.create({ test_clock: clock.id })).rejects.toMatchObject(refused);
  await expect(testClocks.del(clock.id)).rejects.toMatchObject(refused);
  await readyAgain(stripe, clock.id);
});

test('none of it exists in live mode', { timeout: 120_000 }, async () => {
  const live = await startStack({ account: { livemode: true }, worker: 'none' });
  try {
    await expect(live.stripe.testHelpers.testClocks.create({ frozen_time: 0 })).rejects.toMatchObject({ statusCode: 400 });
    await expect(live.stripe.customers.create({ test_clock: 'clock_1' })).rejects.toMatchObject({ statusCode: 400, param: 'test_clock' });
  } finally {
    await live.stop();
  }
});

test('five customers, a year, one clock', { timeout: 300_000 }, async () => {
  const clock = await newClock(stripe, '2028-01-15T12:00:00Z');
  const price = await newPrice(stripe, 900);
  for (let n = 0; n < 5; n += 1) {
    const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
    await stripe.subscriptions.create({ customer, items: [{ price }] });
  }
  await advanceTo(stripe, clock.id, '2029-01-15T12:00:00Z', 240_000);
  const changes = await changesOf(stripe, clock.id);
  expect(changes.filter(({ type }) => type === 'invoice.paid')).toHaveLength(60);
});
