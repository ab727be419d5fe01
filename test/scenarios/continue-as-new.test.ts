import { randomBytes } from 'node:crypto';
import type Stripe from 'stripe';
import { expect, test, vi } from 'vitest';
import { withAccount } from '../../db/client.ts';
import { newCustomer, newPrice } from '../support/scenario.ts';
import { itemOf, subscribeInThePast } from '../support/scenario-backdated.ts';
import { type Stack, startStack } from '../support/stack.ts';

const SUBSCRIPTIONS = 10;
const COMMANDS_EACH = 10;
const WEEK = 7 * 86_400;
/** From then on until as long after the renewals. */
const AROUND_MS = 1200;

/** A subscription of each customer, all due at one instant (ms) that is not here before they are; a slow machine takes longer to make them. */
async function dueTogether(stack: Stack, customers: string[], priceId: string): Promise<{ ids: string[]; dueAt: number }> {
  for (let leadSeconds = 10; ; leadSeconds *= 2) {
    const startedAt = Math.floor(Date.now() / 1000) - WEEK + leadSeconds;
    const dueAt = (startedAt + WEEK) * 1000;
    const ids = customers.map(() => `sub_${randomBytes(10).toString('hex')}`);
    for (const [index, subscriptionId] of ids.entries()) {
      const customerId = customers[index] ?? '';
      await subscribeInThePast(stack, { accountId: stack.accountId, subscriptionId, customerId, priceId, startedAt });
    }
    if (Date.now() < dueAt - 2 * AROUND_MS) return { ids, dueAt };
  }
}

test('a hundred commands race the renewals, and so the ends of runs: each is applied once, or refused clearly', {
  timeout: 240_000,
}, async () => {
  const stack = await startStack({ deadlineMs: 60_000 });
  try {
    const { stripe, client, db, accountId } = stack;
    const priceId = await newPrice(stripe, 700, { interval: 'week' });
    const customers = await Promise.all(Array.from({ length: SUBSCRIPTIONS }, () => newCustomer(stripe)));
    const { ids, dueAt } = await dueTogether(stack, customers, priceId);
    const firstRuns = await Promise.all(ids.map(async (id) => (await client.workflow.getHandle(id).describe()).runId));

    const grow = (id: string, n: number): Promise<Stripe.Subscription> =>
      stripe.subscriptions.update(
        id,
        { items: [{ id: itemOf(id), quantity: n + 2 }], proration_behavior: 'none' },
        { idempotencyKey: `${id}:${n}` },
      );
    const send = async (id: string, n: number): Promise<{ id: string; n: number; error: Stripe.errors.StripeError | null }> => {
      const at = dueAt - AROUND_MS + (2 * AROUND_MS * n) / COMMANDS_EACH;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())));
      return grow(id, n).then(
        () => ({ id, n, error: null }),
        (error: Stripe.errors.StripeError) => ({ id, n, error }),
      );
    };
    const outcomes = await Promise.all(ids.flatMap((id) => Array.from({ length: COMMANDS_EACH }, (_, n) => send(id, n))));
    for (const { error } of outcomes) if (error) expect(error.statusCode, error.message).toBeOneOf([400, 409, 429, 503]);
    const answered = outcomes.filter(({ error }) => error === null);
    expect(answered.length).toBeGreaterThan(SUBSCRIPTIONS * COMMANDS_EACH * 0.9);

    // Sent once more, a command finds its first answer.
    for (const { id, n } of answered.slice(0, 10)) await grow(id, n);

    for (const [index, id] of ids.entries()) {
      await vi.waitFor(async () => expect((await client.workflow.getHandle(id).describe()).runId).not.toBe(firstRuns[index]), 30_000);
      const { renewals, changes, applied, quantity } = await withAccount(db, accountId, async ({ trx }) => {
        const { rows } = await trx.raw(
          `select (select count(*)::int from invoices where subscription_id = :id and billing_reason = 'subscription_cycle' and status = 'paid') as renewals,
             (select count(*)::int from operations where subscription_id = :id and kind = 'change-plan') as changes,
             (select count(*)::int from (select operation_id from events where object_id = :id and type = 'customer.subscription.updated'
               and operation_id in (select operation_id from operations where kind = 'change-plan') group by 1 having count(*) = 1) once) as applied,
             (select quantity from subscription_items where subscription_id = :id and not removed) as quantity`,
          { id },
        );
        return rows[0] as { renewals: number; changes: number; applied: number; quantity: string };
      });
      const mine = answered.filter((outcome) => outcome.id === id);
      expect(renewals).toBe(1);
      expect(changes).toBeGreaterThanOrEqual(mine.length);
      expect(changes).toBeLessThanOrEqual(COMMANDS_EACH);
      expect(applied).toBe(changes);
      expect(Number(quantity)).toBeGreaterThanOrEqual(2);
    }
  } finally {
    await stack.stop();
  }
});
