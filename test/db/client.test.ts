import { afterAll, beforeAll, expect, test } from 'vitest';
import { pingDatabase } from '../../db/client.ts';
import { findCustomer, updateCustomer } from '../../db/customers.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ poolMax: 2 });
});
afterAll(() => world.close());

test('what the work throws takes back what it wrote, and is what the caller gets', async () => {
  const failure = new Error('no');
  await expect(
    world.as('acct_1', async (t) => {
      await updateCustomer(t, 'cus_1', { name: 'never' });
      throw failure;
    }),
  ).rejects.toBe(failure);
  expect(await world.as('acct_1', (t) => findCustomer(t, 'cus_1'))).toMatchObject({ name: 'Ada' });
});

test('statements sent together run in the order in which they were sent', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const seen = await world.as('acct_1', (t) =>
    Promise.all(
      names.map(
        async (name) =>
          (await t.run<{ name: string }>('update customers set name = name || $1 where id = $2 returning name', [name, 'cus_1'])).rows[0]
            ?.name,
      ),
    ),
  );
  expect(seen).toEqual(['Adaa', 'Adaab', 'Adaabc', 'Adaabcd']);
});

test('one that fails among many takes the transaction with it, and the connection is good afterwards', async () => {
  for (let round = 0; round < 3; round += 1) {
    const together = world.as('acct_1', (t) =>
      Promise.all([
        t.run(`update customers set name = 'lost' where id = $1`, ['cus_1']),
        t.run('select 1 / $1::int as broken', [0]),
        // First seen, and so first prepared, in a transaction that has already failed.
        t.run(`select $1::text as v${round}`, ['x']),
      ]),
    );
    await expect(together).rejects.toThrow(/division by zero/);
  }
  expect((await world.as('acct_1', (t) => t.run(`select $1::text as v0`, ['x']))).rows).toEqual([{ v0: 'x' }]);
  expect((await world.as('acct_1', (t) => findCustomer(t, 'cus_1')))?.name).not.toBe('lost');
  await pingDatabase(world.db);
});

test('columns arrive as the domain has them, and a number that is not exact never does', async () => {
  const { rows } = await world.as('acct_1', (t) =>
    t.run(
      `select '2027-03-01T00:00:00.9Z'::timestamptz as at, '0001-01-01T00:00:00Z'::timestamptz as first, 9007199254740991::bigint as big, 1.10::numeric as n, '2027-03-01'::date as day`,
      [],
    ),
  );
  expect(rows).toEqual([{ at: 1803859200, first: -62135596800, big: Number.MAX_SAFE_INTEGER, n: '1.10', day: '2027-03-01' }]);
  await expect(world.as('acct_1', (t) => t.run('select 9007199254740993::bigint as big', []))).rejects.toThrow(/safe integer/);
});

test('a transaction that has ended runs nothing', async () => {
  const kept = await world.as('acct_1', async (t) => t);
  await expect(kept.run('select 1', [])).rejects.toThrow(/has ended/);
});
