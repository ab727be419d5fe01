import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimIdempotencyKey, releaseIdempotencyKey, storeIdempotentResponse } from '../../db/idempotency-keys.ts';
import { START } from '../api/examples.ts';
import { openWorld, unique, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const claim = (key: string, patch: Partial<Parameters<typeof claimIdempotencyKey>[1]> = {}, accountId = 'acct_1') =>
  world.as(accountId, (t) => claimIdempotencyKey(t, { key, requestHash: 'h', resourceId: 'sub_1', createdAt: START, ...patch }));

test('the first claim is new, the next waits, the answered one is replayed, another request is a mismatch', async () => {
  const key = unique('key');
  expect(await claim(key)).toEqual({ state: 'new', resourceId: 'sub_1' });
  expect(await claim(key)).toEqual({ state: 'in_progress' });
  expect(await claim(key, { requestHash: 'other' })).toEqual({ state: 'mismatch' });
  await world.as('acct_1', (t) => storeIdempotentResponse(t, key, { status: 200, body: { id: 'sub_1', list: [1] } }));
  expect(await claim(key)).toEqual({ state: 'replay', status: 200, body: { id: 'sub_1', list: [1] } });
  expect(await claim(key, {}, 'acct_2')).toMatchObject({ state: 'new' });
});

test('one that was released, or whose holder has died, is tried again for the same object', async () => {
  const [released, stale] = [unique('key'), unique('key')];
  for (const key of [released, stale]) await claim(key);
  await world.as('acct_1', (t) => releaseIdempotencyKey(t, released));
  expect(await claim(released, { resourceId: 'sub_2' })).toEqual({ state: 'new', resourceId: 'sub_1' });
  expect(await claim(stale, { createdAt: START + 3600, resourceId: 'sub_2' })).toEqual({ state: 'new', resourceId: 'sub_1' });
});

test('of many at once one is new', async () => {
  const key = unique('key');
  const states = (await Promise.all(Array.from({ length: 8 }, () => claim(key)))).map(({ state }) => state);
  expect(states.filter((state) => state === 'new')).toHaveLength(1);
  expect(states.filter((state) => state === 'in_progress')).toHaveLength(7);
});
