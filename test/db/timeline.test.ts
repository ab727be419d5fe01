import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendEvent } from '../../db/events.ts';
import { recordRefusal } from '../../db/operations.ts';
import { entryId, listTimeline, type TimelineQuery } from '../../db/timeline.ts';
import { Refusal } from '../../domain/errors.ts';
import { typeOf } from '../../domain/timeline/entry.ts';
import { anAttempt, START } from '../api/examples.ts';
import { anOperation, creation, draftOf, openWorld, record, type World } from './world.ts';

const SUBSCRIPTION = 'sub_0';
let world: World;
beforeAll(async () => {
  world = await openWorld();
  const run = { workflowId: SUBSCRIPTION, runId: 'run_1' };
  await record(
    world,
    'acct_1',
    { ...creation(1, SUBSCRIPTION), attempt: anAttempt({ id: 'pa_0', invoiceId: `in_${SUBSCRIPTION}` }) },
    {
      kind: 'create-subscription',
      actor: 'api_key:abc',
      subscriptionId: SUBSCRIPTION,
      parameters: { paymentBehavior: 'allow_incomplete' },
      run,
    },
  );
  await record(
    world,
    'acct_1',
    { events: [{ type: 'invoice.payment_failed', objectType: 'invoice', objectId: `in_${SUBSCRIPTION}`, previous: null }] },
    { kind: 'collect-payment', actor: 'workflow', subscriptionId: SUBSCRIPTION, asOf: START + 10, run },
  );
  await world.as('acct_1', (t) =>
    recordRefusal(
      t,
      { ...anOperation({ kind: 'change-plan', actor: 'operator:ada', asOf: START + 20, run }), subscriptionId: SUBSCRIPTION },
      new Refusal('resource_missing', "No such price: 'price_x'", 'items[0][price]'),
    ),
  );
  await world.as('acct_1', (t) =>
    appendEvent(
      t,
      {
        type: 'customer.subscription.updated',
        objectType: 'subscription',
        objectId: SUBSCRIPTION,
        data: { id: SUBSCRIPTION, description: 'new' },
        previous: { description: 'old' },
        occurredAt: START + 30,
      },
      'api_key:abc',
    ),
  );
  await record(world, 'acct_1', creation(1, 'sub_friend'), { subscriptionId: 'sub_friend', asOf: START + 40 });
  await record(world, 'acct_2', creation(2, 'sub_other'), { subscriptionId: 'sub_other' });
});
afterAll(() => world.close());

const read = (query: Partial<TimelineQuery> = {}, account = 'acct_1') =>
  world.as(account, (t) => listTimeline(t, { limit: 100, subscriptionId: SUBSCRIPTION, newestFirst: false, ...query }));
const told = async (query: Partial<TimelineQuery> = {}) => (await read(query)).items.map((entry) => `${typeOf(entry)} ${entry.name}`);

const ALL = [
  'command create-subscription',
  'state_change customer.subscription.created',
  'state_change invoice.created',
  'state_change invoice.finalized',
  'payment collect-payment',
  'notice invoice.payment_failed',
  'refusal change-plan',
  'state_change customer.subscription.updated',
];

test('operations, refusals and events stand in the order in which they were written, each with who and which run', async () => {
  const { items, hasMore } = await read();
  expect(items.map((entry) => `${typeOf(entry)} ${entry.name}`)).toEqual(ALL);
  expect(hasMore).toBe(false);
  expect(items[0]).toMatchObject({
    at: START,
    actor: 'api_key:abc',
    run: { workflowId: SUBSCRIPTION, runId: 'run_1' },
    parameters: { paymentBehavior: 'allow_incomplete' },
  });
  // An event has actor and run of its operation.
  expect(items[1]).toMatchObject({ at: START, actor: 'api_key:abc', run: { runId: 'run_1' } });
  expect(items[6]).toMatchObject({ actor: 'operator:ada', refusal: { code: 'resource_missing', param: 'items[0][price]' } });
  expect(items[7]).toMatchObject({ actor: 'api_key:abc', run: null, previous: { description: 'old' } });
});

test('is read in pages, in both directions, and from both ends', async () => {
  for (const newestFirst of [false, true]) {
    const seen: string[] = [];
    let after: string | undefined;
    for (let more = true; more; ) {
      const page = await read({ limit: 3, newestFirst, ...(after === undefined ? {} : { startingAfter: after }) });
      seen.push(...page.items.map((entry) => `${typeOf(entry)} ${entry.name}`));
      const last = page.items.at(-1);
      after = last && entryId(last);
      more = page.hasMore;
    }
    expect(seen).toEqual(newestFirst ? [...ALL].reverse() : ALL);
  }
  const all = (await read()).items;
  const before = await read({ limit: 2, endingBefore: entryId(all[5] as (typeof all)[number]) });
  expect(before.items).toEqual(all.slice(3, 5));
  expect(before.hasMore).toBe(true);
  await expect(read({ startingAfter: 'evt_1' })).rejects.toThrow("No such object: 'evt_1'");
});

test('is filtered by type and by the time of the decisions', async () => {
  expect(await told({ types: ['refusal', 'payment'] })).toEqual(['payment collect-payment', 'refusal change-plan']);
  expect(await told({ types: ['notice'] })).toEqual(['notice invoice.payment_failed']);
  expect(await told({ since: START + 10, until: START + 30 })).toEqual(ALL.slice(4, 7));
  expect(await told({ since: START + 31 })).toEqual([]);
});

test('stays within the account', async () => {
  expect((await read({}, 'acct_2')).items).toEqual([]);
  expect((await read({ subscriptionId: 'sub_other' })).items).toEqual([]);
});

test('what happens to a consolidated invoice is told in the life of each subscription that it bills, once and in its order', async () => {
  const sharedBy = ['sub_friend', SUBSCRIPTION];
  const shared = draftOf(1, 'in_shared', { subscriptionIds: sharedBy, consolidationKey: 'k' });
  const about = { type: 'invoice.updated', objectType: 'invoice', objectId: shared.id, previous: null } as const;
  const attempt = anAttempt({ id: 'pa_shared', invoiceId: shared.id, idempotencyKey: 'k_shared' });
  await record(
    world,
    'acct_1',
    { invoices: [shared], events: [{ ...about, type: 'invoice.created' }] },
    { kind: 'issue-invoice', actor: 'workflow', subscriptionId: 'sub_friend' },
  );
  await record(world, 'acct_1', { attempt }, { kind: 'start-payment', actor: 'workflow', invoiceId: shared.id, sharedBy });
  await record(
    world,
    'acct_1',
    { events: [about, { ...about, type: 'customer.discount.updated', objectType: 'customer', objectId: 'cus_1' }] },
    { kind: 'collect-payment', actor: 'workflow', invoiceId: shared.id, sharedBy },
  );
  const tail = ['state_change invoice.created', 'payment start-payment', 'payment collect-payment', 'state_change invoice.updated'];
  const all = await told();
  expect(all.slice(-5)).toEqual([...tail, 'state_change customer.discount.updated']);
  const friends = await told({ subscriptionId: 'sub_friend' });
  expect(friends.slice(-6)).toEqual(['decision issue-invoice', ...tail, 'state_change customer.discount.updated']);
  const paged: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await read({ subscriptionId: 'sub_friend', limit: 2, ...(after === undefined ? {} : { startingAfter: after }) });
    paged.push(...page.items.map((entry) => `${typeOf(entry)} ${entry.name}`));
    if (!page.hasMore) break;
    after = page.items.map(entryId).at(-1);
  }
  expect(paged).toEqual(friends);
  expect(await told({ types: ['payment'], newestFirst: true })).toEqual([...tail.slice(1, 3)].reverse().concat('payment collect-payment'));
});
