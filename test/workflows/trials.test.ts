import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { skippingEnvironment } from './environment.ts';
import { DAY } from './fake-billing/book.ts';
import { FakeBilling } from './fake-billing.ts';
import { type Life, live } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await skippingEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

const trialOf = (life: Life) => life.book.trial ?? expect.fail('there is no trial');
const remindings = ({ billing }: Life): string[] => billing.calls.filter((call) => call.startsWith('remindOfTrialEnd'));
const missing = (canPay: boolean): FakeBilling => Object.assign(new FakeBilling(), { canPay });

test('a trial is told of, ends by itself, and the months follow', () =>
  live(env, async (life) => {
    const { subscription } = await life.subscribe({ trial: { days: 14 } });
    const { end } = trialOf(life);
    expect(subscription).toMatchObject({ status: 'trialing', periodEnd: end, trial: { end, remindAt: end - 3 * DAY } });
    expect(await life.details()).toMatch(/on trial until .*\n\n\*\*Next\*\*\n.*tells that the trial ends .*\n.*ends the trial /);
    expect(await life.attributes()).toMatchObject({ SubscriptionStatus: 'trialing', NextBillingAt: new Date(end * 1000) });
    await life.pass('10 days');
    expect(remindings(life)).toEqual([]);
    await life.pass('2 days');
    expect(life.billing.asOf[`remind:${life.id}:${end}:${end - 3 * DAY}`]).toBe(end - 3 * DAY);
    expect((await life.state()).facts.trial).toEqual({ end, remindAt: null });
    await life.pass('35 days');
    expect(remindings(life)).toHaveLength(1);
    expect(life.billing.asOf[`renew:${life.id}:${end}`]).toBe(end);
    expect(life.billing.invoices.map(({ reason, amount, status }) => [reason, amount, status])).toEqual([
      ['create', 0, 'paid'],
      ['cycle', 1000, 'paid'],
      ['cycle', 1000, 'paid'],
    ]);
    const { facts } = await life.state();
    expect(facts.status).toBe('active');
    expect(facts).not.toHaveProperty('trial');
    expect(life.billing.periods[1]?.start).toBe(end);
  }));

test('a reminder that nobody could be given is tried again, and the trial ends all the same', () =>
  live(env, async (life) => {
    await life.subscribe({ trial: { days: 5 } });
    const { end } = trialOf(life);
    life.billing.refusals = { remindOfTrialEnd: 'operation_conflict' };
    await life.pass('3 days');
    expect(await life.details()).toMatch(/\*\*Stuck\*\*\n- remind since/);
    life.billing.refusals = {};
    await life.pass('3 days');
    const { facts, stalled } = await life.state();
    expect([facts.status, stalled, facts.periodStart]).toEqual(['active', null, end]);
    expect(remindings(life)).toHaveLength(1);
  }));

test('moved, and ended now: the timers follow', () =>
  live(env, async (life) => {
    await life.subscribe({ trial: { days: 14 } });
    const later = trialOf(life).end + 10 * DAY;
    await life.change({ trialEnd: later, items: [] });
    expect((await life.state()).facts).toMatchObject({ periodEnd: later, trial: { end: later, remindAt: later - 3 * DAY } });
    await life.pass('20 days');
    expect([(await life.state()).facts.status, remindings(life)]).toEqual(['trialing', []]);
    const ended = await life.change({ trialEnd: 'now', items: [] });
    expect(ended).toMatchObject({ subscription: { status: 'active' }, payment: { outcome: 'paid' } });
    await life.pass('33 days');
    expect(remindings(life)).toEqual([]);
    expect(life.billing.invoices.map(({ reason }) => reason)).toEqual(['create', 'update', 'cycle']);
  }));

test('paused at its end: it sleeps, and still obeys', () =>
  live(
    env,
    async (life) => {
      await life.subscribe({ trial: { days: 7 }, trialMissingPaymentMethod: 'pause' });
      await life.pass('100 days');
      const { facts, stalled } = await life.state();
      expect([facts.status, facts.periodEnd, stalled]).toEqual(['paused', trialOf(life).end, null]);
      expect(facts).not.toHaveProperty('trial');
      expect(life.billing.invoices).toHaveLength(1);
      expect(await life.details()).toMatch(/\*\*Next\*\*\n- nothing by itself/);
      expect(await life.attributes()).not.toHaveProperty('NextBillingAt');
      await life.cancelAt((await life.now()) + 2 * DAY);
      await life.pass('3 days');
      await life.ended();
      expect(life.billing.invoices).toHaveLength(1);
    },
    missing(false),
  ));

test('canceled at its end', () =>
  live(
    env,
    async (life) => {
      await life.subscribe({ trial: { days: 7 }, trialMissingPaymentMethod: 'cancel' });
      await life.pass('8 days');
      await life.ended();
      expect(life.book.status).toBe('canceled');
      expect(life.billing.invoices).toHaveLength(1);
    },
    missing(false),
  ));

test('with nothing to pay with and an invoice wanted: dunning', () =>
  live(
    env,
    async (life) => {
      await life.subscribe({ trial: { days: 7 } });
      life.billing.charges = ['no_payment_method'];
      await life.pass('8 days');
      const { facts, dunning } = await life.state();
      expect([facts.status, dunning]).toEqual(['past_due', [life.billing.invoices[1]?.id]]);
    },
    missing(false),
  ));

test('cancelled within the trial, now and at its end', async () => {
  await live(env, async (life) => {
    await life.subscribe({ trial: { days: 7 } });
    await life.pass('1 day');
    await life.cancel();
    await life.ended();
    expect(life.billing.verbs).toEqual(['createSubscription', 'cancelSubscription']);
  });
  await live(env, async (life) => {
    await life.subscribe({ trial: { days: 7 } });
    await life.cancelAt('period_end');
    expect(await life.details()).toMatch(/cancels \d/);
    await life.pass('8 days');
    await life.ended();
    expect(life.billing.invoices).toHaveLength(1);
  });
});
