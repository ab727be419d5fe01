import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSnapshot } from '../../db/billing-snapshot.ts';
import type { AccountTransaction } from '../../db/client.ts';
import { listCreditGrants, readCreditGrantsOf } from '../../db/credits.ts';
import { listCustomers } from '../../db/customers.ts';
import { listEntitlements } from '../../db/entitlements.ts';
import { listEvents } from '../../db/events.ts';
import { listInvoices } from '../../db/invoices.ts';
import { loadMeteredUsage } from '../../db/load-metered-usage.ts';
import { findOperation, recordRefusal } from '../../db/operations.ts';
import { listSchedules } from '../../db/schedules.ts';
import { listSubscriptions } from '../../db/subscriptions.ts';
import { listClockEvents } from '../../db/test-clocks.ts';
import { listTimeline } from '../../db/timeline.ts';
import { Refusal } from '../../domain/errors.ts';
import { anAttempt, aPrice, aSubscription, START } from '../api/examples.ts';
import { anOperation, creation, draftOf, openWorld, record, type World } from './world.ts';

/** Tables that grow for ever; a plan that reads one from end to end is a mistake. */
const GROWING = [
  'customers',
  'subscriptions',
  'subscription_items',
  'invoices',
  'invoice_lines',
  'invoice_items',
  'billed_periods',
  'payment_attempts',
  'events',
  'operations',
  'refused_commands',
  'timeline_shares',
  'active_entitlements',
  'usage_periods',
  'credit_grants',
  'subscription_schedules',
];
const COPIES = 3000;
const METERED = aPrice({ recurring: { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } });

let world: World;
beforeAll(async () => {
  world = await openWorld();
  const { id: _, taxes: __, invoiceItemId: ___, ...line } = draftOf(1, 'x').lines[0] as NonNullable<ReturnType<typeof draftOf>['lines'][0]>;
  const item = { id: 'ii_0', customerId: 'cus_1', subscriptionId: 'sub_0', invoiceId: null, line, taxRateIds: [], date: START };
  await record(
    world,
    'acct_1',
    {
      ...creation(1, 'sub_0'),
      attempt: anAttempt({ id: 'pa_0', invoiceId: 'in_sub_0' }),
      pendingItems: { insert: [item], change: [], consume: [], remove: [] },
    },
    { operationId: 'op_0', subscriptionId: 'sub_0' },
  );
  const event = { type: 'invoice.updated', objectType: 'invoice', objectId: 'in_sub_0', previous: null } as const;
  await record(world, 'acct_1', { events: [event] }, { operationId: 'op_1', sharedBy: ['sub_0'] });
  await world.as('acct_1', (t) =>
    recordRefusal(t, { ...anOperation(), subscriptionId: 'sub_0' }, new Refusal('subscription_canceled', 'It has ended.')),
  );
  // The one subscription again and again, under ids of its own, so that there is something not to read.
  await world.admin.query(`set session_replication_role = replica`);
  const copy = (table: string, changes: string) =>
    world.admin.query(
      `insert into ${table} overriding system value select (jsonb_populate_record(o, ${changes})).* from ${table} o, generate_series(1, ${COPIES}) n where o.account_id = 'acct_1'`,
    );
  const renamed = (...columns: string[]) =>
    `jsonb_build_object(${columns.map((column) => `'${column}', o.${column} || '_' || n`).join(', ')})`;
  await copy('customers', `${renamed('id', 'external_id')} || jsonb_build_object('created_at', o.created_at + n * interval '1 s')`);
  await copy('subscriptions', `${renamed('id', 'customer_id')} || jsonb_build_object('created_at', o.created_at + n * interval '1 s')`);
  await copy('subscription_items', renamed('id', 'subscription_id'));
  await copy(
    'invoices',
    `${renamed('id', 'customer_id', 'subscription_id', 'number')} || jsonb_build_object('position', 100 + n, 'created_at', o.created_at + n * interval '1 s')`,
  );
  await copy('invoice_lines', renamed('id', 'invoice_id'));
  await copy('invoice_items', `${renamed('id', 'subscription_id', 'customer_id')} || jsonb_build_object('position', 100 + n)`);
  await copy('payment_attempts', renamed('id', 'invoice_id', 'idempotency_key'));
  await copy('billed_periods', renamed('id', 'subscription_item_id', 'invoice_id', 'invoice_line_id'));
  await copy(
    'events',
    `${renamed('id', 'object_id', 'subscription_id', 'operation_id')} || jsonb_build_object('position', o.position * 1000000 + n, 'occurred_at', o.occurred_at + n * interval '1 h')`,
  );
  await copy('operations', `${renamed('operation_id', 'subscription_id')} || jsonb_build_object('position', o.position * 1000000 + n)`);
  await copy(
    'timeline_shares',
    `${renamed('operation_id', 'event_id', 'subscription_id')} || jsonb_build_object('position', o.position * 1000000 + n)`,
  );
  await copy(
    'refused_commands',
    `${renamed('operation_id', 'subscription_id')} || jsonb_build_object('position', o.position * 1000000 + n)`,
  );
  await world.admin.query(
    `insert into active_entitlements (account_id, id, customer_id, feature_id, lookup_key, created_at)
     select 'acct_1', 'ent_' || n, 'cus_1_' || n, 'feat_1', 'export', now() from generate_series(1, ${COPIES}) n`,
  );
  await world.admin.query(
    `insert into usage_periods (account_id, id, subscription_id, subscription_item_id, price_id, "start", "end", quantity, amount, net, watermark)
     select 'acct_1', 'up_' || n, 'sub_0_' || n, 'si_' || n, 'price_1', now() - interval '30 days', now(), '5', 10, 10, 1 from generate_series(1, ${COPIES}) n`,
  );
  await world.admin.query(
    `insert into credit_grants (account_id, id, customer_id, category, amount, remaining, currency, scope, priority, effective_at, metadata, created_at, updated_at)
     select 'acct_1', 'credgr_' || n, 'cus_1_' || n, 'paid', 1000, 1000, 'eur', '{}', 50, now(), '{}', now() + n * interval '1 s', now() from generate_series(1, ${COPIES}) n`,
  );
  await world.admin.query(
    `insert into subscription_schedules (account_id, id, customer_id, subscription_id, status, currency, phases, starts_at, end_behavior, settings, created_at)
     select 'acct_1', 'sub_sched_' || n, 'cus_1_' || n, 'sub_0_' || n, 'active', 'eur', '[]', now(), 'release', '{}', now() + n * interval '1 s' from generate_series(1, ${COPIES}) n`,
  );
  await world.admin.query('set session_replication_role = origin');
  await world.admin.query('analyze');
});
afterAll(() => world.close());

interface PlanNode {
  kind: string;
  table: string;
  /** Of what each row of the answer is put together from, once it is found. */
  isOfOneRow: boolean;
}

/** What the statements that `work` sends are made of, as Postgres plans them under row-level security. */
async function plannedOf(work: (t: AccountTransaction) => Promise<unknown>): Promise<PlanNode[]> {
  const found: PlanNode[] = [];
  await world.as('acct_1', async (t) => {
    const explain = async (text: string, values: readonly unknown[]): Promise<void> => {
      if (!/^\s*(select|with)/i.test(text) || text.includes('set_config')) return;
      const { rows } = await t.trx.raw(
        `explain (format json) ${text.replace(/\$\d+/g, (parameter) => literal(values[Number(parameter.slice(1)) - 1]))}`,
      );
      const walk = (node: Record<string, unknown>, above = false): void => {
        const isOfOneRow = above || node['Parent Relationship'] === 'SubPlan';
        found.push({ kind: String(node['Node Type']), table: String(node['Relation Name']), isOfOneRow });
        for (const child of (node['Plans'] as Record<string, unknown>[] | undefined) ?? []) walk(child, isOfOneRow);
      };
      walk(rows[0]['QUERY PLAN'][0].Plan);
    };
    const sent: [string, readonly unknown[]][] = [];
    t.trx.on('query', ({ sql, bindings }: { sql: string; bindings?: unknown[] }) => sent.push([sql, bindings ?? []]));
    await work({
      ...t,
      run: (text, values) => {
        sent.push([text, values]);
        return t.run(text, values);
      },
    });
    for (const [text, values] of [...sent]) await explain(text, values);
  });
  return found;
}

/** The tables that grow for ever and are read from end to end. */
const scanned = (nodes: PlanNode[]): string[] =>
  nodes.filter(({ kind, table }) => kind === 'Seq Scan' && GROWING.includes(table)).map(({ table }) => table);

const literal = (value: unknown): string =>
  Array.isArray(value)
    ? `'{${value.join(',')}}'`
    : value === null || value === undefined
      ? 'null'
      : typeof value === 'number'
        ? String(value)
        : `'${String(value)}'`;

test.each<[string, (t: AccountTransaction) => Promise<unknown>]>([
  ['the snapshot of a subscription', (t) => loadSnapshot(t, { subscriptionId: 'sub_0_7', lock: true })],
  ['the snapshot of an invoice', (t) => loadSnapshot(t, { invoiceId: 'in_sub_0_7', lock: true, paymentMethodIds: ['pm_1'] })],
  ['the snapshot of a customer', (t) => loadSnapshot(t, { customerId: 'cus_1', priceIds: ['price_1'], taxRateIds: ['txr_1'], lock: true })],
  ['an operation', (t) => findOperation(t, 'op_0_7')],
  ['the newest customers', (t) => listCustomers(t, { limit: 10 })],
  ['customers behind a cursor', (t) => listCustomers(t, { limit: 10, startingAfter: 'cus_1_7' })],
  ['customers by email', (t) => listCustomers(t, { limit: 10, email: 'nobody@example.com' })],
  ['subscriptions of a customer', (t) => listSubscriptions(t, { limit: 10, customerId: 'cus_1_7', statuses: 'all' })],
  ['the newest invoices', (t) => listInvoices(t, { limit: 10 })],
  ['invoices of a subscription', (t) => listInvoices(t, { limit: 10, subscriptionId: 'sub_0_7' })],
  ['invoices of a customer', (t) => listInvoices(t, { limit: 10, customerId: 'cus_1_7', status: 'open' })],
  [
    'what happened on a test clock',
    (t) => listClockEvents(t, { limit: 10, clockId: 'clock_1', after: START + 7_000, upTo: START + 90_000 }),
  ],
  ['a timeline from its beginning', (t) => listTimeline(t, { limit: 100, subscriptionId: 'sub_0_7', newestFirst: false })],
  [
    'a timeline by type and time, newest first',
    (t) =>
      listTimeline(t, {
        limit: 10,
        subscriptionId: 'sub_0_7',
        newestFirst: true,
        types: ['payment', 'refusal'],
        since: START,
        until: START + 9,
      }),
  ],
  ['whether a customer is entitled to something', (t) => listEntitlements(t, { limit: 1, customerId: 'cus_1_7', lookupKey: 'export' })],
  [
    'what a subscription has used and was billed',
    (t) => loadMeteredUsage(t, aSubscription({ id: 'sub_0_7', customerId: 'cus_1_7' }), { price_1: METERED }, START),
  ],
  ['the credit of a customer', (t) => readCreditGrantsOf(t, 'cus_1_7')],
  ['the newest credit grants', (t) => listCreditGrants(t, { limit: 10 })],
  ['the schedules of a customer', (t) => listSchedules(t, { limit: 10, customerId: 'cus_1_7' })],
  ['the newest events', (t) => listEvents(t, { limit: 10 })],
  ['events of an object', (t) => listEvents(t, { limit: 10, objectId: 'in_sub_0_7' })],
  ['events of a type', (t) => listEvents(t, { limit: 10, types: ['invoice.created'] })],
])('%s is found by index', async (_, work) => {
  expect(scanned(await plannedOf(work))).toEqual([]);
});

test.each<[string, (t: AccountTransaction) => Promise<unknown>]>([
  ['customers', (t) => listCustomers(t, { limit: 10, startingAfter: 'cus_1_7' })],
  ['subscriptions', (t) => listSubscriptions(t, { limit: 10, statuses: 'all', startingAfter: 'sub_0_7' })],
  ['invoices', (t) => listInvoices(t, { limit: 10, endingBefore: 'in_sub_0_7' })],
  ['credit grants', (t) => listCreditGrants(t, { limit: 10 })],
  ['schedules', (t) => listSchedules(t, { limit: 10 })],
])('a page of %s stands in its index as it is shown', async (_, work) => {
  const sorted = (await plannedOf(work)).filter(({ kind, isOfOneRow }) => kind.includes('Sort') && !isOfOneRow);
  expect(sorted).toEqual([]);
});
