import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { withAccount } from '../../db/client.ts';
import { insertPriceMigration } from '../../db/price-migrations.ts';
import { type DriftReport, drift } from '../../recovery/drift.ts';
import { rebuild } from '../../recovery/rebuild.ts';
import { startSubscription } from '../../recovery/restart.ts';
import { dunningWorkflowId, invoiceWorkflowId, priceMigrationWorkflowId, quoteWorkflowId, stateQuery } from '../../workflows/messages.ts';
import { aPriceMigration } from '../api/examples.ts';
import { reactivateSubscription } from '../support/pause.ts';
import { invoicesOf, newCustomer, newPrice, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';
import { emptyTemporal } from './empty-temporal.ts';

let stack: Stack;
let stopTemporal: () => Promise<void>;

beforeAll(async () => {
  const temporal = await emptyTemporal();
  stopTemporal = () => temporal.stop();
  stack = await startStack({ temporal: { address: temporal.address } });
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await stopTemporal?.();
});

const look = (options: { repair?: boolean } = {}): Promise<DriftReport> => drift(stack, { againAfterMs: 200, ...options });
/** The server's list is some moments behind what it knows. */
const found = (...expected: [kind: string, id: string][]): Promise<void> =>
  vi.waitFor(async () => expect((await look()).findings.map(({ kind, id }) => [kind, id]).sort()).toEqual([...expected].sort()), {
    timeout: 20_000,
    interval: 200,
  });
const write = (sql: string, values: unknown[]): Promise<unknown> => withAccount(stack.db, stack.accountId, (t) => t.run(sql, values));
const subscribe = async (customer: string, price: string): Promise<string> =>
  (await stack.stripe.subscriptions.create({ customer, items: [{ price }] })).id;

test('every kind of difference is found, mended where the books know how, and gone then', { timeout: 240_000 }, async () => {
  const { stripe, client } = stack;
  const price = await newPrice(stripe, 1000);
  const [lost, stale, ended] = [
    await subscribe(await newCustomer(stripe), price),
    await subscribe(await newCustomer(stripe), price),
    await subscribe(await newCustomer(stripe), price),
  ];
  const waiting = await stripe.subscriptionSchedules.create({
    customer: await newCustomer(stripe),
    start_date: Math.floor(Date.now() / 1000) + 86_400,
    phases: [{ items: [{ price }] }],
  });
  const { rows } = (await write('select subscription_id as id from subscription_schedules where id = $1', [waiting.id])) as {
    rows: { id: string }[];
  };
  const toCome = rows[0]?.id ?? '';
  const offer = await stripe.quotes.create({ customer: await newCustomer(stripe), line_items: [{ price }] });
  const clock = await newClock(stripe, '2027-01-15T00:00:00Z');
  const payer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const failing = await subscribe(payer, price);
  await useCard(stripe, payer, 'pm_card_chargeCustomerFail');
  await advanceTo(stripe, clock.id, '2027-02-16T00:00:00Z');
  const [, unpaid] = await invoicesOf(stripe, { customer: payer });
  if (unpaid?.id === undefined) throw new Error('two invoices were expected');
  expect(unpaid.status).toBe('open');
  await found();

  await client.workflow.getHandle(lost).terminate('lost');
  await client.workflow.getHandle(toCome).terminate('lost');
  await client.workflow.getHandle(quoteWorkflowId(offer.id)).terminate('lost');
  await write(`update subscriptions set cancel_at = current_period_end, cancel_at_period_end = true where id = $1`, [stale]);
  await write(`update subscriptions set status = 'canceled', ended_at = created_at where id = $1`, [ended]);
  await client.workflow.getHandle(dunningWorkflowId(unpaid.id)).terminate('lost');
  await write(`update test_clocks set status = 'advancing', target_frozen_time = frozen_time + interval '1 day' where id = $1`, [clock.id]);
  const filters = { customerCreatedBefore: null, metadata: { wave: 'none' }, limit: null };
  const migration = aPriceMigration({
    id: 'pmig_lost',
    status: 'pending',
    completedAt: null,
    fromPriceId: price,
    toPriceId: await newPrice(stripe, 1200),
    filters,
  });
  await withAccount(stack.db, stack.accountId, (t) => insertPriceMigration(t, migration));
  await found(
    ['migration_left_running', 'pmig_lost'],
    ['subscription_without_workflow', lost],
    ['schedule_without_workflow', toCome],
    ['quote_without_workflow', offer.id],
    ['wrong_search_attributes', stale],
    ['workflow_of_ended_subscription', ended],
    ['invoice_without_dunning', failing],
    ['clock_left_advancing', clock.id],
  );
  const { findings } = await look({ repair: true });
  expect(findings.map(({ mended }) => mended)).toEqual(Array(8).fill(true));
  await client.workflow.getHandle(priceMigrationWorkflowId('pmig_lost')).result();
  await found();
  expect(await client.workflow.getHandle(stale).query(stateQuery)).toMatchObject({
    generation: 2,
    facts: { cancelAt: expect.any(Number) },
  });
  expect((await client.workflow.getHandle(dunningWorkflowId(unpaid.id)).describe()).status.name).toBe('RUNNING');
  expect(await stripe.subscriptionSchedules.cancel(waiting.id)).toMatchObject({ status: 'canceled' });
  expect(await rebuild(stack)).toMatchObject({ restarted: 0, dunnings: 0, clocks: 0, migrations: 0 });

  // The other direction: what runs, and the books know better, or do not know at all.
  await write(`update invoices set status = 'uncollectible', marked_uncollectible_at = created_at where id = $1`, [unpaid.id]);
  const state = await client.workflow.getHandle(stale).query(stateQuery);
  await startSubscription(stack, { ...state, subscriptionId: 'sub_of_nobody' });
  await found(['dunning_without_open_invoice', unpaid.id], ['workflow_without_subscription', 'sub_of_nobody']);
  const again = await look({ repair: true });
  expect(again.findings.map(({ kind, mended }) => [kind, mended]).sort()).toEqual([
    ['dunning_without_open_invoice', true],
    ['workflow_without_subscription', false],
  ]);
  await found(['workflow_without_subscription', 'sub_of_nobody']);
});

test('due dates that nobody waits for, a reactivation that was lost, a payment that nobody looks up', { timeout: 240_000 }, async () => {
  const { stripe, client, sandbox } = stack;
  const handle = (id: string) => client.workflow.getHandle(id);
  const price = await newPrice(stripe, 1000);
  const invoiced = await newCustomer(stripe, null);
  const terms = { collection_method: 'send_invoice', days_until_due: 30 } as const;
  const sent = await stripe.subscriptions.create({ customer: invoiced, items: [{ price }], ...terms });
  const { id: alone = '' } = await stripe.invoices.create({ customer: invoiced, currency: 'eur', ...terms });
  await stripe.invoiceItems.create({ customer: invoiced, invoice: alone, amount: 500, currency: 'eur' });
  await stripe.invoices.sendInvoice(alone);

  const back = await subscribe(await newCustomer(stripe), price);
  await stripe.subscriptions.cancel(back);
  await reactivateSubscription(stripe, back);

  const payer = await newCustomer(stripe);
  const unpaid = await stripe.subscriptions.create({ customer: payer, items: [{ price }], payment_behavior: 'default_incomplete' });
  const invoice = String(unpaid.latest_invoice);
  const idempotencyKey = `${invoice}:attempt-1`;
  await sandbox.arm('timeout_after_capture', { idempotencyKey });
  await sandbox.arm('look_up_down', { idempotencyKey }, 1000);
  await stripe.invoices.pay(invoice).catch(() => null);

  await handle(dunningWorkflowId(String(sent.latest_invoice))).terminate('lost');
  await handle(dunningWorkflowId(alone)).terminate('lost');
  await handle(back).terminate('lost');
  await handle(invoiceWorkflowId(invoice)).terminate('lost');
  const nobodys: [string, string] = ['workflow_without_subscription', 'sub_of_nobody'];
  await found(
    nobodys,
    ['invoice_without_dunning', sent.id],
    ['due_date_without_dunning', alone],
    ['subscription_without_workflow', back],
    ['step_left_undone', unpaid.id],
  );
  await sandbox.disarm({ idempotencyKey });
  const { findings } = await look({ repair: true });
  expect(findings.filter(({ mended }) => !mended).map(({ id }) => id)).toEqual(['sub_of_nobody']);
  await found(nobodys);
  for (const id of [dunningWorkflowId(String(sent.latest_invoice)), dunningWorkflowId(alone), back])
    expect((await handle(id).describe()).status.name).toBe('RUNNING');
  // What was taken under the first key is found there, and taken once.
  await vi.waitFor(async () => expect((await stripe.invoices.retrieve(invoice)).status).toBe('paid'), { timeout: 30_000, interval: 200 });
});
