import { afterAll, beforeAll, expect, test } from 'vitest';
import { listInvoices } from '../../db/invoices.ts';
import { draftOf, finalised, openWorld, record, unique, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ poolMax: 25 });
});
afterAll(() => world.close());

const numbersOf = async (accountId: string): Promise<string[]> => {
  const { items } = await world.as(accountId, (t) => listInvoices(t, { limit: 100 }));
  return items.flatMap(({ number }) => (number === null ? [] : [number])).sort();
};

test('twenty at once, a third of them rolled back, leave no gap and no number twice', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) => {
      const invoice = finalised(draftOf(1, unique('in')));
      // A subtotal that is not the sum of the lines is found out at commit, after the number was drawn.
      return record(world, 'acct_1', { invoices: [n % 3 === 0 ? { ...invoice, subtotal: 1 } : invoice] });
    }),
  );
  const written = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
  expect(written).toBe(13);
  expect(await numbersOf('acct_1')).toEqual(Array.from({ length: written }, (_, n) => `EX1-${String(n + 1).padStart(4, '0')}`));
});

test('one decision draws in the order of its invoices; each account has its own series', async () => {
  const three = [1, 2, 3].map(() => finalised(draftOf(2, unique('in'))));
  const { numbers } = (await record(world, 'acct_2', { invoices: three })) as { numbers: Record<string, string> };
  expect(three.map(({ id }) => numbers[id])).toEqual(['EX2-0001', 'EX2-0002', 'EX2-0003']);
});

test('an invoice that has its number keeps it, a draft draws none', async () => {
  const invoice = finalised(draftOf(2, unique('in')));
  const { numbers } = (await record(world, 'acct_2', { invoices: [invoice, draftOf(2, unique('in'))] })) as {
    numbers: Record<string, string>;
  };
  expect(Object.keys(numbers)).toEqual([invoice.id]);
  const again = (await record(world, 'acct_2', { invoices: [{ ...invoice, number: numbers[invoice.id] ?? null, attempted: true }] })) as {
    numbers: object;
  };
  expect(again.numbers).toEqual({});
  expect((await numbersOf('acct_2')).at(-1)).toBe('EX2-0004');
});

test('past 9999 a number has the digits it needs', async () => {
  await world.admin.query(`update invoice_number_series set next_number = 9999 where account_id = 'acct_2'`);
  const two = [1, 2].map(() => finalised(draftOf(2, unique('in'))));
  const { numbers } = (await record(world, 'acct_2', { invoices: two })) as { numbers: Record<string, string> };
  expect(Object.values(numbers)).toEqual(['EX2-9999', 'EX2-10000']);
});
