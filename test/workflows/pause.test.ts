import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { pauseSignal, resumeSignal } from '../../workflows/messages.ts';
import { skippingEnvironment } from './environment.ts';
import { DAY, HOUR } from './fake-billing/book.ts';
import { type Life, live, refusalOf } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await skippingEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

const billed = ({ billing }: Life): string[] => billing.invoices.map(({ reason, status }) => `${reason} ${status}`);
/** The instants for which the verb was carried out. */
const instantsOf = ({ billing }: Life, verb: string): number[] =>
  [...new Set(billing.calls)].flatMap((call) => (call.startsWith(`${verb} `) ? [billing.asOf[call.slice(verb.length + 1)] ?? 0] : []));

test('a pause has no timer for a renewal, only for its own end, which comes to the second', () =>
  live(env, async (life) => {
    await life.subscribe();
    await life.pass('10 days');
    const resumesAt = (await life.now()) + 100 * DAY + 12_345;
    const { subscription } = await life.pause({ resumesAt });
    expect(subscription).toMatchObject({ status: 'paused', resumesAt });
    expect(await life.details()).toMatch(/\*\*paused\*\*[\s\S]*: resumes /);
    expect((await life.attributes())['NextBillingAt']).toBeUndefined();
    await life.pass('99 days');
    expect(billed(life)).toEqual(['create paid']);
    await life.pass('2 days');
    expect(instantsOf(life, 'endPause')).toEqual([resumesAt]);
    expect(billed(life)).toEqual(['create paid', 'cycle paid']);
    const { facts } = await life.state();
    expect(facts).toMatchObject({ status: 'active', periodStart: resumesAt });
    expect(facts).not.toHaveProperty('resumesAt');
    await life.pass('32 days');
    expect(billed(life)).toHaveLength(3);
  }));

test('open-ended: nothing happens by itself, until it is resumed', () =>
  live(env, async (life) => {
    await life.subscribe();
    await life.pause({ unusedTime: 'extend' });
    const { facts } = await life.state();
    await life.pass('400 days');
    expect(billed(life)).toEqual(['create paid']);
    const before = await life.now();
    const { subscription } = await life.resume();
    expect(subscription.status).toBe('active');
    expect(subscription.periodEnd - facts.periodEnd).toBeGreaterThanOrEqual(400 * DAY);
    expect(subscription.periodEnd - facts.periodEnd).toBeLessThanOrEqual(400 * DAY + before - facts.periodStart);
    await life.pass('32 days');
    expect(billed(life)).toEqual(['create paid', 'cycle paid']);
  }));

test('scheduled for the period end it takes the place of the renewal, and can be taken back', () =>
  live(env, async (life) => {
    await life.subscribe();
    const { periodEnd } = (await life.state()).facts;
    expect((await life.pause({ at: 'period_end' })).subscription).toMatchObject({ status: 'active', pauseAt: periodEnd });
    expect(await life.details()).toContain('pauses ');
    expect((await life.resume()).subscription).not.toHaveProperty('pauseAt');
    await life.pause({ at: 'period_end' });
    await life.pass('40 days');
    expect(instantsOf(life, 'beginPause')).toEqual([periodEnd]);
    expect(life.billing.verbs).not.toContain('issueInvoice');
    expect(life.book.status).toBe('paused');
  }));

test('paused and resumed again and again, also by signals, also while the same is asked twice', () =>
  live(env, async (life) => {
    await life.subscribe();
    const first = await life.pause({ unusedTime: 'extend' }, 'op_pause');
    expect(await life.pause({ unusedTime: 'extend' }, 'op_pause')).toEqual(first);
    await life.handle.signal(resumeSignal, {
      operationId: 'op_resume',
      actor: 'operator:eve',
      billingCycleAnchor: null,
      prorationBehavior: 'none',
    });
    await life.quiet();
    expect(life.book.status).toBe('active');
    await life.handle.signal(pauseSignal, {
      operationId: 'op_again',
      actor: 'operator:eve',
      at: 'now',
      unusedTime: 'extend',
      resumesAt: null,
      resume: { billingCycleAnchor: null, prorationBehavior: 'none' },
    });
    await life.quiet();
    expect(life.book.status).toBe('paused');
    await life.pass('50 days');
    await life.resume();
    await life.pass('40 days');
    expect(billed(life)).toEqual(['create paid', 'cycle paid']);
  }));

test('what is paused can be canceled, and ends at its date', () =>
  live(env, async (life) => {
    await life.subscribe();
    await life.pause();
    const at = (await life.now()) + 200 * DAY;
    await life.cancelAt(at);
    await life.pass('201 days');
    await life.ended();
    expect(life.book.status).toBe('canceled');
    expect(instantsOf(life, 'issueInvoice')).toEqual([at]);
  }));

test('an end of a pause that Postgres cannot take is held back, shown and done later, as of its own instant', () =>
  live(env, async (life) => {
    await life.subscribe();
    const resumesAt = (await life.now()) + 5 * DAY;
    await life.pause({ resumesAt });
    life.billing.refusals = { endPause: 'operation_conflict' };
    await life.pass('5 days');
    await life.pass('1 minute');
    expect(await life.details()).toMatch(/\*\*Stuck\*\*\n- end_pause since/);
    expect(await refusalOf(life.change({ quantity: '2' }))).toBe('unavailable');
    life.billing.refusals = {};
    await life.pass('2h');
    expect((await life.state()).stalled).toBeNull();
    expect(instantsOf(life, 'endPause')).toEqual([resumesAt]);
    expect(billed(life)).toEqual(['create paid', 'cycle paid']);
  }));

test('a pause in dunning: the chase goes on and recovers the old invoice', () =>
  live(env, async (life) => {
    await life.subscribe();
    life.billing.charges = ['declined', 'declined', 'paid'];
    const { periodEnd } = (await life.state()).facts;
    await life.pass((periodEnd - (await life.now()) + 60) * 1000);
    expect(life.book.status).toBe('past_due');
    await life.pause({ unusedTime: 'extend' });
    await life.pass('9 days');
    await vi.waitFor(async () => expect((await life.state()).dunning).toEqual([]));
    expect([life.book.status, life.billing.invoices.at(-1)?.status]).toEqual(['paused', 'paid']);
  }));

test('collection resumes at its date', () =>
  live(env, async (life) => {
    await life.subscribe();
    const resumesAt = (await life.now()) + 3 * DAY + HOUR;
    await life.handle.executeUpdate('changePlan', {
      args: [
        {
          operationId: 'op_hold',
          actor: 'test',
          prorationBehavior: 'none',
          paymentBehavior: 'allow_incomplete',
          pauseCollection: { behavior: 'void', resumesAt },
        },
      ],
    });
    expect(await life.details()).toContain('collects again');
    await life.pass('4 days');
    expect(instantsOf(life, 'resumeCollection')).toEqual([resumesAt]);
    expect((await life.state()).facts).not.toHaveProperty('collectionResumesAt');
  }));

test('a canceled subscription, whose workflow has closed, lives again under the same id', () =>
  live(env, async (life) => {
    await life.subscribe();
    await life.cancel();
    await life.ended();
    await life.pass('40 days');
    const answer = await life.reactivate('op_back');
    expect(answer).toMatchObject({ subscription: { status: 'active' }, payment: { outcome: 'paid' } });
    await life.quiet();
    expect(await life.attributes()).toMatchObject({ SubscriptionStatus: 'active', CustomerId: 'cus_1' });
    expect(await life.reactivate('op_back')).toEqual(answer);
    expect(await refusalOf(life.reactivate())).toBe('transition_not_allowed');
    await life.pass('32 days');
    expect(billed(life)).toEqual(['create paid', 'update paid', 'cycle paid']);
    await life.cancel({}, 'op_cancel_again');
    await life.ended();
    await life.reactivate();
    expect(life.book.status).toBe('active');
  }));

test('a reactivation that the book refuses leaves no workflow behind', () =>
  live(env, async (life) => {
    await life.subscribe();
    await life.cancel();
    await life.ended();
    life.billing.refusals = { reactivateSubscription: 'customer_deleted' };
    expect(await refusalOf(life.reactivate())).toBe('customer_deleted');
    await life.ended();
    expect(await life.status()).toBe('COMPLETED');
  }));
