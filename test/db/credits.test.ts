import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSnapshot } from '../../db/billing-snapshot.ts';
import { findCreditGrant, insertCreditGrant, listCreditTransactions } from '../../db/credits.ts';
import { findInvoice } from '../../db/invoices.ts';
import { findOperation } from '../../db/operations.ts';
import { recordDecision } from '../../db/record-decision.ts';
import type { Decision } from '../../domain/decision.ts';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import { aCreditGrant, START } from '../api/examples.ts';
import { draftOf, openWorld, record, unique, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ poolMax: 12 });
});
afterAll(() => world.close());

type Decide = (snapshot: Parameters<typeof decideVoid>[0], context: Parameters<typeof decideVoid>[1]) => Decision;

/** Load -> decide -> record, as an activity does. */
const perform = (invoiceId: string, decide: Decide, { lock = true, operationId = unique('op') } = {}): Promise<void> =>
  world.as('acct_1', async (t) => {
    const [snapshot, done] = [await loadSnapshot(t, { invoiceId, asOf: START, lock }), await findOperation(t, operationId)];
    if (done !== null) return;
    let n = 0;
    const decision = decide(snapshot, { asOf: START, newId: (prefix) => `${prefix}_${operationId}_${++n}` });
    const operation = { operationId, kind: 'issue-invoice' as const, asOf: START, requestHash: 'hash', subscriptionId: null, invoiceId };
    await recordDecision(t, { ...operation, actor: 'test', paymentBehavior: null }, decision, () => null);
  });
const finalise: Decide = (snapshot, context) => decideFinalization(snapshot, {}, context);

/** Drafts of 2400 each and one grant for what they bill. */
async function prepare(grantId: string, amount: number, drafts: number): Promise<string[]> {
  const scope = { priceIds: ['price_1'] };
  await world.as('acct_1', (t) => insertCreditGrant(t, aCreditGrant({ id: grantId, amount, remaining: amount, scope, expiresAt: null })));
  const ids = Array.from({ length: drafts }, () => unique('in'));
  for (const id of ids) await record(world, 'acct_1', { invoices: [draftOf(1, id, { autoAdvance: true })] });
  return ids;
}
const leftOf = (id: string) => world.as('acct_1', async (t) => (await findCreditGrant(t, id))?.remaining);
const drawnBy = (ids: string[]) =>
  world.as('acct_1', async (t) => {
    const invoices = await Promise.all(ids.map((id) => findInvoice(t, id)));
    return invoices.map((invoice) => (invoice?.creditDraws ?? []).reduce((sum, { amount }) => sum + amount, 0)).sort((a, b) => a - b);
  });

test('many invoices of one customer at once draw what there is, to the cent, and no more', async () => {
  const ids = await prepare('credgr_many', 5000, 8);
  await Promise.all(ids.map((id) => perform(id, finalise)));
  expect(await drawnBy(ids)).toEqual([0, 0, 0, 0, 0, 200, 2400, 2400]);
  expect(await leftOf('credgr_many')).toBe(0);
  const { items } = await world.as('acct_1', (t) => listCreditTransactions(t, { limit: 100, grantId: 'credgr_many' }));
  expect(items.reduce((sum, { amount }) => sum + amount, 0)).toBe(-5000);
});

test('one operation draws once, however often it is tried, and voiding gives back once', async () => {
  const [id = ''] = await prepare('credgr_once', 5000, 1);
  await Promise.all(Array.from({ length: 4 }, () => perform(id, finalise, { operationId: 'op_once' })));
  expect(await leftOf('credgr_once')).toBe(2600);
  const [open = ''] = await prepare('credgr_back', 100, 1);
  await world.as('acct_1', (t) => t.run(`update credit_grants set remaining = 0 where id = 'credgr_once'`, []));
  await perform(open, finalise);
  expect(await leftOf('credgr_back')).toBe(0);
  await Promise.allSettled(Array.from({ length: 3 }, () => perform(open, decideVoid, { operationId: 'op_back' })));
  expect(await leftOf('credgr_back')).toBe(100);
});

test('the database has the last word', async () => {
  await prepare('credgr_last', 100, 0);
  const set = (remaining: number) =>
    world.as('acct_1', (t) => t.run('update credit_grants set remaining = $1 where id = $2', [remaining, 'credgr_last']));
  await expect(set(-1)).rejects.toThrow(/credit_grants_not_overdrawn/);
  await expect(set(101)).rejects.toThrow(/credit_grants_not_overdrawn/);
  await expect(world.as('acct_1', (t) => t.run('delete from credit_transactions', []))).rejects.toThrow(/append-only/);
});
