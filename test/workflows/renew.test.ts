import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { instant, localDate } from '../../domain/time.ts';
import { skippingEnvironment } from './environment.ts';
import { FakeBilling } from './fake-billing.ts';
import { type Life, live, refusalOf } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await skippingEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

/** Every period follows the one before without gap or overlap, and each was billed for its own boundary. */
function expectContiguous({ billing, id }: Life): void {
  const { periods } = billing;
  for (const [n, period] of periods.entries()) {
    const before = periods[n - 1];
    if (before === undefined) continue;
    expect(period.start).toBe(before.end);
    expect(billing.asOf[`renew:${id}:${period.start}`]).toBe(period.start);
  }
}

test('two years of months from the 31st, in a zone with daylight saving, with an upgrade on the way', async () => {
  const billing = new FakeBilling();
  billing.timezone = 'Europe/Berlin';
  await live(
    env,
    async (life) => {
      const start = nextDay31(await life.now());
      await life.pass((start - (await life.now())) * 1000);
      await life.subscribe();
      for (let month = 0; month < 12; month += 1) await life.pass('30 days');
      const upgraded = await life.change({ price: 'price_month_30' });
      expect(upgraded).toMatchObject({ subscription: { planId: 'price_month_30' }, payment: { outcome: 'paid' } });
      for (let month = 0; month < 13; month += 1) await life.pass('30 days');
      expectContiguous(life);
      const days = billing.periods.map((period) => localDate(period.start, 'Europe/Berlin'));
      expect(days.length).toBeGreaterThanOrEqual(24);
      expect(new Set(days.map((day) => day.slice(0, 7))).size).toBe(days.length);
      expect(days.filter((day) => day.endsWith('-31')).length).toBeGreaterThanOrEqual(12);
      expect(days.some((day) => day.endsWith('-02-28') || day.endsWith('-02-29'))).toBe(true);
      expect(new Set(billing.periods.map((period) => new Date(period.start * 1000).getUTCHours())).size).toBe(2);
      expect(billing.attempts.every(({ outcome }) => outcome === 'paid')).toBe(true);
      expect(billing.attempts).toHaveLength(billing.invoices.length);
      const { NextBillingAt, PlanId } = await life.attributes();
      expect(PlanId).toBe('price_month_30');
      expect(NextBillingAt).toEqual(new Date((billing.periods.at(-1)?.end ?? 0) * 1000));
    },
    billing,
  );
}, 120_000);

/** The next 31st at 12:00 UTC of a month with 31 days. */
function nextDay31(after: number): number {
  for (let day = Math.floor(after / 86_400) + 1; ; day += 1) {
    const at = day * 86_400 + 43_200;
    if (localDate(at, 'UTC').endsWith('-31')) return instant(`${localDate(at, 'UTC')}T12:00:00Z`);
  }
}

test(
  'a renewal waits out the database, and the next run starts in time',
  () =>
    live(env, async (life) => {
      await life.subscribe({ price: 'price_day_1' });
      const { runId } = await life.handle.describe();
      life.billing.outages = { issueInvoice: 3 };
      await life.pass('25h');
      // Real time: the test server does not skip while an activity waits for its retry.
      await vi.waitFor(() => expect(life.billing.periods).toHaveLength(2), { timeout: 10_000 });
      expect(life.billing.calls.filter((call) => call.startsWith('issueInvoice'))).toHaveLength(1);
      const { events } = await life.env.client.workflow.getHandle(life.id, runId).fetchHistory();
      // Through the server, where its tries can be seen, and no stall.
      expect(events?.some((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'issueInvoice')).toBe(true);
      await life.pass('24h');
      expect(life.billing.periods).toHaveLength(3);
      expectContiguous(life);
    }),
  60_000,
);

test(
  'a renewal that is refused stalls in sight of the operator and is tried again',
  () =>
    live(env, async (life) => {
      await life.subscribe({ price: 'price_day_1' });
      life.billing.refusals = { issueInvoice: 'currency_mismatch' };
      await life.pass('24h');
      const { stalled } = await life.state();
      expect(stalled).toMatchObject({ step: 'renew', tries: 1, error: expect.stringContaining('currency_mismatch') });
      expect(await refusalOf(life.change({ quantity: '2' }))).toBe('unavailable');
      expect(await life.details()).toContain('currency_mismatch');
      life.billing.refusals = {};
      await life.pass('2h');
      expect(life.billing.periods).toHaveLength(2);
      expect((await life.state()).stalled).toBeNull();
      expectContiguous(life);
    }),
  60_000,
);

test(
  "cancels at the period's end, at a date, and not after all",
  () =>
    live(env, async (life) => {
      const { subscription } = await life.subscribe();
      await life.cancelAt('period_end');
      expect((await life.attributes())['NextBillingAt']).toBeUndefined();
      await life.cancelAt('never');
      expect((await life.attributes())['NextBillingAt']).toBeDefined();
      await life.pass('32 days');
      expect(life.billing.periods).toHaveLength(2);
      const date = subscription.periodEnd + 10 * 86_400;
      await life.cancelAt(date);
      await life.pass('12 days');
      expect(life.book.status).toBe('canceled');
      expect(life.billing.asOf[`renew:${life.id}:${date}`]).toBe(date);
      await life.ended();
      expect(life.billing.periods).toHaveLength(2);
    }),
  60_000,
);

test(
  "cancels at the period's end without billing the next one",
  () =>
    live(env, async (life) => {
      await life.subscribe();
      await life.cancelAt('period_end');
      await life.pass('32 days');
      await life.ended();
      expect(life.book.status).toBe('canceled');
      expect(life.billing.periods).toHaveLength(1);
      expect(await life.attributes()).toMatchObject({ SubscriptionStatus: 'canceled' });
    }),
  60_000,
);

test('usage that is told is looked at at once, and what comes untold when a minute has passed; each threshold is billed once', async () => {
  await live(env, async (life) => {
    const { billing } = life;
    await life.subscribe();
    const looks = () => billing.calls.filter((call) => call.startsWith('billThreshold')).length;
    const early = () => billing.invoices.filter(({ reason }) => reason === 'threshold').map(({ amount, status }) => [amount, status]);
    billing.used = 400;
    await life.usageReported();
    await life.pass('1 second');
    expect([looks(), early()]).toEqual([1, []]);
    // Told of no more than once a minute, it sees by itself what was used meanwhile.
    billing.used = 1200;
    await life.pass('20 seconds');
    expect(looks()).toBe(1);
    await life.pass('45 seconds');
    expect([looks(), early()]).toEqual([2, [[1200, 'paid']]]);
    await life.pass('1 hour');
    expect(looks()).toBe(2);
    // The answer is lost once: the same operation gives it again.
    billing.outages.billThreshold = 1;
    billing.used = 1500;
    await life.usageReported();
    await life.usageReported();
    await life.pass('2 minutes');
    expect(early()).toEqual([
      [1200, 'paid'],
      [1500, 'paid'],
    ]);
    expect(await life.state()).toMatchObject({ usage: { lookAt: null } });
    await life.pass('31 days');
    expect(billing.invoices.filter(({ reason }) => reason === 'cycle')).toHaveLength(1);
  });
}, 60_000);

test('credit that is low is bought once for each crossing; a declined purchase is not chased, and one of unknown outcome is looked up', async () => {
  await live(env, async (life) => {
    const { billing } = life;
    await life.subscribe();
    const bought = () => billing.invoices.filter(({ reason }) => reason === 'top-up').map(({ status }) => status);
    billing.lowCredit = 1;
    // The answer is lost once: the same operation gives it again.
    billing.outages.topUpCredits = 1;
    await life.usageReported();
    await life.pass('2 minutes');
    expect(bought()).toEqual(['paid']);
    billing.lowCredit = 2;
    billing.charges.push('declined');
    await life.usageReported();
    await life.pass('10 days');
    expect(bought()).toEqual(['paid', 'open']);
    expect(await life.state()).toMatchObject({ dunning: [], parked: [] });
    billing.lowCredit = 3;
    billing.charges.push('unknown');
    await life.usageReported();
    await life.pass('1 hour');
    expect(bought()).toEqual(['paid', 'open', 'paid']);
    expect(life.book.status).toBe('active');
  });
}, 60_000);
