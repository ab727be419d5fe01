import { type AccountTransaction, withAccount } from '../../db/client.ts';
import type { StoredEvent } from '../../db/events.ts';
import {
  findTestClock,
  insertTestClock,
  listClockCustomers,
  listClockEvents,
  listTestClocks,
  updateTestClock,
} from '../../db/test-clocks.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import type { TestClock } from '../../domain/test-clock.ts';
import type { RequestContext } from '../context.ts';
import { atClock, mustRest } from '../customer-clock.ts';
import { route } from '../define-route.ts';
import { deleteCustomer } from '../delete-customer.ts';
import { badRequest, notFound } from '../errors.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentEvents } from '../present-events.ts';
import { presentDeletedTestClock, presentTestClock } from '../presenters/test-clocks.ts';
import { presentChange } from '../presenters/timeline.ts';
import { listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/test-clocks.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Test clocks', answer: schemas.testClock, kind: 'test_clock' } as const;
const LIST = '/v1/test_helpers/test_clocks';
const DELETED_AT_ONCE = 8;

/** @throws ApiError 404, also for one that was deleted */
async function clockOf(t: AccountTransaction, id: string, { lock = false } = {}): Promise<TestClock> {
  const clock = await findTestClock(t, id, { lock });
  if (clock === null || clock.deleted) throw notFound('test clock', id);
  return clock;
}

/** Writes that the clock is on its way; one that is on its way there already is sent again. @throws ApiError 400 for a time that is not later, 429 */
async function setOut(context: RequestContext, t: AccountTransaction, id: string, to: number): Promise<TestClock> {
  const before = await clockOf(t, id, { lock: true });
  if (before.operationId === context.operationId || before.targetFrozenTime === to) return before;
  mustRest(before);
  if (to <= before.frozenTime) {
    throw badRequest(`The test clock stands at ${before.frozenTime}; a clock only advances.`, 'frozen_time');
  }
  const patch = {
    status: 'advancing',
    targetFrozenTime: to,
    previousFrozenTime: before.frozenTime,
    operationId: context.operationId,
  } as const;
  const after = (await updateTestClock(t, id, patch)) ?? before;
  await tell(context, t, { type: 'test_helpers.test_clock.advancing', objectType: 'test_clock', before, after });
  return after;
}

export const testClockRoutes = [
  route({
    ...one,
    method: 'post',
    path: LIST,
    summary: 'Create a test clock, frozen at a time of the past or the future',
    params: schemas.testClockCreate,
    handle: (context, { params }) => {
      if (context.account.livemode) throw badRequest('Test clocks exist in test mode only.');
      const clock: TestClock = {
        id: context.newId(ID_PREFIX.testClock),
        name: params.name ?? null,
        status: 'ready',
        frozenTime: params.frozen_time,
        targetFrozenTime: null,
        previousFrozenTime: null,
        operationId: null,
        deleted: false,
        createdAt: context.now(),
      };
      return withAccount(context.db, context.account.id, async (t) => {
        await insertTestClock(t, clock);
        await tell(context, t, { type: 'test_helpers.test_clock.created', objectType: 'test_clock', after: clock });
        return presentTestClock(clock);
      });
    },
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id/advance`,
    summary: 'Advance a test clock by any distance; its status is ready again when everything on the way has happened',
    params: schemas.testClockAdvance,
    handle: async (context, { path: { id = '' }, params }) => {
      const clock = await withAccount(context.db, context.account.id, (t) => setOut(context, t, id, params.frozen_time));
      const { targetFrozenTime: to } = clock;
      if (to !== null) {
        context.log.info({ clockId: id, operationId: context.operationId }, 'advance');
        await context.commands.advanceClock({ accountId: context.account.id, clockId: id, to });
      }
      return presentTestClock(clock);
    },
  }),
  route({
    ...one,
    method: 'get',
    path: `${LIST}/:id/changes`,
    summary: 'What happened to the customers of a test clock during its last advance, as events in the order of their time',
    params: schemas.clockChangeList,
    answer: listOf(schemas.clockChange),
    kind: 'event',
    list: true,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const clock = await clockOf(t, id);
        const window = { after: clock.previousFrozenTime ?? clock.frozenTime, upTo: clock.targetFrozenTime ?? clock.frozenTime };
        const types = params.types ?? (params.type === undefined ? undefined : [params.type]);
        const page = await listClockEvents(t, { ...pageOf(params), clockId: id, ...window, types });
        const events = await presentEvents(t, context.account, page.items);
        const changes = events.map((event, index) => ({ ...event, ...presentChange(page.items[index] as StoredEvent) }));
        return listAnswer(`${LIST}/${id}/changes`, changes, page.hasMore);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: `${LIST}/:id`,
    summary: 'Retrieve a test clock',
    params: schemas.testClockRetrieve,
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => presentTestClock(await clockOf(t, id))),
  }),
  route({
    ...one,
    method: 'delete',
    path: `${LIST}/:id`,
    summary: 'Delete a test clock and its customers; their subscriptions are cancelled, invoices stay',
    params: schemas.testClockDelete,
    answer: schemas.testClockDeleted,
    handle: async (context, { path: { id = '' } }) => {
      const { clock, customers } = await withAccount(context.db, context.account.id, async (t) => {
        const found = await clockOf(t, id);
        mustRest(found);
        return { clock: found, customers: await listClockCustomers(t, id) };
      });
      for (let from = 0; from < customers.length; from += DELETED_AT_ONCE) {
        const some = customers.slice(from, from + DELETED_AT_ONCE);
        await Promise.all(some.map((customerId) => deleteCustomer(atClock(context, clock), customerId)));
      }
      await withAccount(context.db, context.account.id, async (t) => {
        const after = (await updateTestClock(t, id, { deleted: true })) ?? clock;
        await tell(context, t, { type: 'test_helpers.test_clock.deleted', objectType: 'test_clock', after });
      });
      return presentDeletedTestClock(id);
    },
  }),
  route({
    ...one,
    method: 'get',
    path: LIST,
    summary: 'List test clocks',
    params: schemas.testClockList,
    answer: listOf(schemas.testClock),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listTestClocks(t, pageOf(params));
        return listAnswer(LIST, page.items.map(presentTestClock), page.hasMore);
      }),
  }),
];
