import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertCustomer } from '../../db/customers.ts';
import { readLedgerBalances } from '../../db/journal.ts';
import { findPrice, insertNewPrice, insertPrice, updatePrice } from '../../db/prices.ts';
import type { Price } from '../../domain/catalog/price.ts';
import { aCustomer, anAttempt, aPrice, END, START } from '../api/examples.ts';
import { tiered } from '../support/price-models.ts';
import { coverage, creation, draftOf, finalised, journalOf, openWorld, record, unique, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** A finalised invoice that stands in the database. */
async function openInvoice() {
  const invoice = finalised(draftOf(1, unique('in')));
  const { numbers } = (await record(world, 'acct_1', { invoices: [invoice] })) as { numbers: Record<string, string> };
  return { ...invoice, number: numbers[invoice.id] ?? null };
}

/** As the database sees it, past row-level security. */
const sql = (text: string, ...values: unknown[]) => world.admin.query(text, values);

describe('what is billed never overlaps', () => {
  const bill = (itemId: string, start: number, end: number, patch = {}) =>
    record(world, 'acct_1', { billed: { shrink: [], insert: [coverage(1, itemId, start, end, patch)], attach: [] } });

  test('the same time of one item cannot be billed twice, another item or the next period can', async () => {
    const [one, two] = [unique('sub'), unique('sub')];
    for (const id of [one, two]) await record(world, 'acct_1', { ...creation(1, id), billed: { shrink: [], insert: [], attach: [] } });
    await bill(`si_${one}`, START, END);
    await expect(bill(`si_${one}`, END - 1, END + 10)).rejects.toThrow(/billed_periods_never_overlap/);
    await bill(`si_${one}`, END, END + 10);
    await bill(`si_${two}`, START, END);
  });

  test('components of a bundle cover the same time, each once, and never beside the whole', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', { ...creation(1, id), billed: { shrink: [], insert: [], attach: [] } });
    const item = `si_${id}`;
    for (const component of [0, 1]) await bill(item, START, END, { component });
    for (const component of [1, null])
      await expect(bill(item, END - 1, END + 10, { component })).rejects.toThrow(/billed_periods_never_overlap/);
    await bill(item, END, END + 10);
    await expect(bill(item, END, END + 10, { component: 2 })).rejects.toThrow(/billed_periods_never_overlap/);
  });

  test("coverage that was credited away is in nobody's way", async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    await record(world, 'acct_1', {
      billed: { shrink: [{ id: `bp_${id}`, end: START, credited: 2400 }], insert: [coverage(1, `si_${id}`, START, END)], attach: [] },
    });
    await bill(`si_${id}`, START - 10, START);
  });

  test('a credit is at most what was billed, and coverage only shrinks', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    const shrink = (end: number, credited: number) =>
      record(world, 'acct_1', { billed: { shrink: [{ id: `bp_${id}`, end, credited }], insert: [], attach: [] } });
    await expect(shrink(START + 10, 2401)).rejects.toThrow(/check constraint/);
    await expect(shrink(END + 1, 0)).rejects.toThrow(/check constraint/);
    await expect(shrink(START - 1, 0)).rejects.toThrow(/check constraint/);
  });

  test('two decisions at once cannot both bill the same time', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', { ...creation(1, id), billed: { shrink: [], insert: [], attach: [] } });
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => bill(`si_${id}`, START, END)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('payment attempts', () => {
  const attempt = (invoiceId: string, patch: Parameters<typeof anAttempt>[0] = {}) =>
    record(world, 'acct_1', { attempt: anAttempt({ id: unique('pa'), invoiceId, idempotencyKey: unique('key'), ...patch }) });
  const unresolved = { declineCode: null, declineMessage: null, resolvedAt: null };

  test.each(['created', 'processing', 'unknown'] as const)('one that is %s keeps every other out', async (status) => {
    const { id } = await openInvoice();
    await attempt(id, { status, ...unresolved });
    await expect(attempt(id, { number: 2, status: 'created', ...unresolved })).rejects.toThrow(/payment_attempts_one_unresolved/);
    const other = await openInvoice();
    await attempt(other.id, { status: 'created', ...unresolved });
  });

  test('a definitive outcome lets the next one in, under the next number only', async () => {
    const { id } = await openInvoice();
    await attempt(id);
    await expect(attempt(id)).rejects.toThrow(/payment_attempts_account_id_invoice_id_number_key/);
    await attempt(id, { number: 2, status: 'created', ...unresolved });
  });

  test("a gateway's reference belongs to one attempt, in all accounts", async () => {
    const [a, b] = [await openInvoice(), await openInvoice()];
    const gatewayReference = unique('ch');
    await attempt(a.id, { gatewayReference });
    await expect(attempt(b.id, { gatewayReference })).rejects.toThrow(/gateway_reference/);
    await attempt(b.id, { gatewayReference, gateway: 'another' });
  });

  test('an idempotency key is used once', async () => {
    const [a, b] = [await openInvoice(), await openInvoice()];
    const idempotencyKey = unique('key');
    await attempt(a.id, { idempotencyKey });
    await expect(attempt(b.id, { idempotencyKey })).rejects.toThrow(/idempotency_key/);
  });
});

describe('invoices', () => {
  test('what is due is paid, credited or remains', async () => {
    await expect(record(world, 'acct_1', { invoices: [draftOf(1, unique('in'), { amountRemaining: 2399 })] })).rejects.toThrow(
      /check constraint/,
    );
    await expect(
      record(world, 'acct_1', { invoices: [draftOf(1, unique('in'), { amountPaid: -1, amountRemaining: 2401 })] }),
    ).rejects.toThrow(/check constraint/);
  });

  test('a finalised one is the sum of its lines, all of its currency', async () => {
    const wrong = draftOf(1, unique('in'), { subtotal: 2399 });
    await record(world, 'acct_1', { invoices: [wrong] });
    await expect(record(world, 'acct_1', { invoices: [finalised(wrong)] })).rejects.toThrow(/do not sum to its subtotal/);
    const mixed = draftOf(1, unique('in'), { currency: 'usd' });
    await expect(record(world, 'acct_1', { invoices: [finalised(mixed)] })).rejects.toThrow(/do not sum to its subtotal/);
  });

  test('a paid one has nothing left to pay', async () => {
    await expect(record(world, 'acct_1', { invoices: [{ ...finalised(draftOf(1, unique('in'))), status: 'paid' }] })).rejects.toThrow(
      /check constraint/,
    );
  });

  test('open, paid and uncollectible ones are finalised and numbered, drafts are not', async () => {
    await expect(record(world, 'acct_1', { invoices: [draftOf(1, unique('in'), { status: 'open' })] })).rejects.toThrow(/check constraint/);
    await expect(record(world, 'acct_1', { invoices: [draftOf(1, unique('in'), { finalizedAt: START })] })).rejects.toThrow(
      /check constraint/,
    );
    await expect(record(world, 'acct_1', { invoices: [draftOf(1, unique('in'), { number: 'EX1-7' })] })).rejects.toThrow(
      /check constraint/,
    );
    const { number } = await openInvoice();
    await expect(record(world, 'acct_1', { invoices: [{ ...finalised(draftOf(1, unique('in'))), number }] })).rejects.toThrow(
      /invoices_account_id_number_key/,
    );
  });

  test('a status is one of the list, for subscriptions and attempts too', async () => {
    const { id } = await openInvoice();
    for (const [table, status] of [
      ['invoices', 'weird'],
      ['subscriptions', 'trialing'],
      ['payment_attempts', 'maybe'],
    ] as const) {
      const { rows } = await sql(
        `select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = $1::regclass and contype = 'c'`,
        table,
      );
      expect(
        rows.some((row) => row.definition.includes('status') && !row.definition.includes(`'${status}'`)),
        table,
      ).toBe(true);
    }
    await expect(sql(`update invoices set status = 'weird' where id = $1`, id)).rejects.toThrow(/check constraint/);
  });
});

describe('the journal', () => {
  const book = (entries: [string, number][]) =>
    record(world, 'acct_1', {
      journal: [
        journalOf(draftOf(1, 'x'), {
          invoiceId: null,
          entries: entries.map(([ledgerAccount, amount]) => ({ ledgerAccount: ledgerAccount as 'revenue', amount })),
        }),
      ],
    });

  test('sums to zero', async () => {
    await expect(
      book([
        ['receivable', 100],
        ['deferred_revenue', -99],
      ]),
    ).rejects.toThrow(/does not sum to zero/);
    await book([
      ['receivable', 100],
      ['deferred_revenue', -81],
      ['tax_payable', -19],
    ]);
    const balances = await world.as('acct_1', (t) => readLedgerBalances(t));
    expect(balances.reduce((total, { amount }) => total + amount, 0)).toBe(0);
  });

  test('is not thrown off balance afterwards', async () => {
    const { id } = await openInvoice();
    const journal = [journalOf(draftOf(1, id))];
    await record(world, 'acct_1', { journal });
    await expect(
      sql(
        `insert into journal_entries (account_id, journal_transaction_id, position, ledger_account, amount) values ('acct_1', $1, 9, 'revenue', 1)`,
        journal[0]?.id,
      ),
    ).rejects.toThrow(/does not sum to zero/);
  });

  test('has entries, on accounts of the chart', async () => {
    await expect(book([])).rejects.toThrow(/has no entries/);
    await expect(
      book([
        ['slush_fund', 1],
        ['receivable', -1],
      ]),
    ).rejects.toThrow(/check constraint/);
  });
});

describe('what happened stays', () => {
  test.each(['events', 'operations', 'journal_transactions', 'journal_entries', 'balance_transactions'])(
    '%s are append-only',
    async (table) => {
      const id = unique('sub');
      await record(world, 'acct_2', {
        ...creation(2, id),
        balance: [
          {
            id: unique('cbtxn'),
            customerId: 'cus_2',
            type: 'adjustment',
            amount: -1,
            endingBalance: -1,
            currency: 'eur',
            invoiceId: null,
            createdAt: START,
          },
        ],
      });
      await expect(sql(`delete from ${table}`)).rejects.toThrow(/append-only/);
      await expect(sql(`update ${table} set account_id = account_id`)).rejects.toThrow(/append-only/);
    },
  );

  test('the events of one object count from one, without gap or repeat', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    await expect(
      sql(
        `insert into events (account_id, id, type, object_type, object_id, sequence, data, occurred_at) values ('acct_1', 'evt_x', 't', 'invoice', $1, 2, '{}', '2030-01-01')`,
        `in_${id}`,
      ),
    ).rejects.toThrow(/events_account_id_object_id_sequence_key/);
  });
});

describe('names given from outside', () => {
  test('an external id and a lookup key are unique per account', async () => {
    const insert = (accountId: string, n: number) =>
      world.as(accountId, (t) =>
        insertCustomer(
          t,
          aCustomer({ id: unique('cus'), currency: null, balance: 0, defaultPaymentMethodId: null, externalId: `same-${n}` }),
        ),
      );
    await insert('acct_1', 1);
    await expect(insert('acct_1', 1)).rejects.toThrow(/external_id/);
    await insert('acct_2', 1);
    await world.as('acct_1', (t) => insertPrice(t, aPrice({ id: unique('price'), productId: 'prod_1', lookupKey: 'silver' })));
    await expect(world.as('acct_1', (t) => updatePrice(t, 'price_other_1', { lookupKey: 'silver' }))).rejects.toThrow(/lookup_key/);
  });

  test('a price has an amount per unit or tiers, never both and never neither', async () => {
    const { tiers } = tiered('graduated', [[null, 100]]);
    const bad: Partial<Price>[] = [
      { unitAmountDecimal: null },
      { tiers },
      { ...tiered('graduated', [[null, 100]]), unitAmountDecimal: '1' },
      { ...tiered('graduated', [[null, 100]]), tiersMode: null },
      { ...tiered('graduated', [[null, 100]]), transformQuantity: { divideBy: 10, round: 'up' } },
    ];
    const made = (patch: Partial<Price>) =>
      world.as('acct_1', (t) => insertPrice(t, aPrice({ id: unique('price'), productId: 'prod_1', ...patch })));
    for (const patch of bad) await expect(made(patch), JSON.stringify(patch)).rejects.toThrow(/check constraint/);
    const good = aPrice({
      id: unique('price'),
      productId: 'prod_1',
      ...tiered('volume', [
        [10, '0.5', 100],
        [null, 1],
      ]),
    });
    await world.as('acct_1', (t) => insertPrice(t, good));
    expect(await world.as('acct_1', (t) => findPrice(t, good.id))).toEqual(good);
    expect(await world.as('acct_1', (t) => insertNewPrice(t, { ...good, nickname: 'again' }))).toBe(false);
  });

  test('what must be a number is one', async () => {
    for (const unitAmountDecimal of ['abc', '1e5', '-1', '0.1234567890123', '']) {
      await expect(
        world.as('acct_1', (t) => updatePrice(t, 'price_1', { unitAmountDecimal })),
        unitAmountDecimal,
      ).rejects.toThrow(/check constraint/);
    }
    await world.as('acct_1', (t) => updatePrice(t, 'price_1', { unitAmountDecimal: '0.123456789012' }));
  });
});
