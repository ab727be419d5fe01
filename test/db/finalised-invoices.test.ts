import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { draftOf, finalised, openWorld, record, unique, type World } from './world.ts';

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

describe('a finalised invoice', () => {
  const frozen: Record<string, string> = {
    number: `'X-1'`,
    customer_id: `'cus_other'`,
    subscription_id: `'sub_other'`,
    currency: `'usd'`,
    subtotal: '1',
    subtotal_excluding_tax: '1',
    tax: '1',
    total: '1',
    total_excluding_tax: '1',
    taxes: `'[1]'`,
    discounts: `'[1]'`,
    credit_draws: `'[1]'`,
    subscription_ids: `'{sub_1}'`,
    consolidation_key: `'other'`,
    starting_balance: '1',
    ending_balance: '1',
    amount_due: '1',
    period_start: `'2001-01-01'`,
    period_end: `'2001-01-01'`,
    customer: `'{"name":"Mallory"}'`,
    seller: `'{"name":"Mallory"}'`,
    description: `'x'`,
    footer: `'x'`,
    automatically_finalizes_at: `'2001-01-01'`,
    billing_reason: `'manual'`,
    collection_method: `'send_invoice'`,
    due_date: `'2001-01-01'`,
    default_tax_rate_ids: `'{x}'`,
    tax_calculator: `'x'`,
    tax_status: `'pending'`,
    created_at: `'2001-01-01'`,
    finalized_at: `'2001-01-01'`,
  };
  const free = [
    'status',
    'amount_paid',
    'amount_credited',
    'amount_remaining',
    'attempt_count',
    'attempted',
    'next_payment_attempt',
    'auto_advance',
    'paid_at',
    'voided_at',
    'marked_uncollectible_at',
    'metadata',
    'overdue_at',
  ];

  test('every column is either frozen or part of the payment status', async () => {
    const { rows } = await sql(
      `select column_name as name from information_schema.columns where table_name = 'invoices' and table_schema = 'public'`,
    );
    expect(
      rows
        .map((row) => row.name as string)
        .filter((name) => !(name in frozen) && !free.includes(name))
        .sort(),
    ).toEqual(['account_id', 'id', 'position']);
  });

  test.each(Object.entries(frozen))('%s stays', async (column, value) => {
    const { id } = await openInvoice();
    await expect(sql(`update invoices set ${column} = ${value} where id = $1`, id)).rejects.toThrow(/cannot be changed/);
  });

  test('its payment status and metadata move on', async () => {
    const { id } = await openInvoice();
    await sql(
      `update invoices set status = 'paid', amount_paid = 2400, amount_remaining = 0, attempt_count = 1, attempted = true, next_payment_attempt = '2030-01-01',
         auto_advance = false, paid_at = '2030-01-01', metadata = '{"k":"v"}' where id = $1`,
      id,
    );
  });

  test('it is neither a draft again nor deleted', async () => {
    const { id } = await openInvoice();
    await expect(sql(`update invoices set status = 'draft' where id = $1`, id)).rejects.toThrow(/check constraint/);
    await expect(sql('delete from invoices where id = $1', id)).rejects.toThrow(/cannot be changed/);
  });

  test('no line is added, changed, moved or removed', async () => {
    const { id, lines } = await openInvoice();
    const draft = draftOf(1, unique('in'));
    await record(world, 'acct_1', { invoices: [draft] });
    const line = lines[0]?.id;
    await expect(sql('update invoice_lines set description = $2 where id = $1', line, 'x')).rejects.toThrow(/cannot be changed/);
    await expect(sql('delete from invoice_lines where id = $1', line)).rejects.toThrow(/cannot be changed/);
    await expect(sql('update invoice_lines set invoice_id = $2, position = 9 where id = $1', line, draft.id)).rejects.toThrow(
      /cannot be changed/,
    );
    await expect(sql('update invoice_lines set invoice_id = $2, position = 9 where id = $1', draft.lines[0]?.id, id)).rejects.toThrow(
      /cannot be changed/,
    );
  });

  test('no line is added, even by the transaction that has just touched the invoice', async () => {
    const { id } = await openInvoice();
    await sql('begin');
    await sql('update invoices set attempted = true where id = $1', id);
    const added = sql(
      `insert into invoice_lines select (jsonb_populate_record(l, '{"id":"il_smuggled","position":7}')).* from invoice_lines l where l.invoice_id = $1`,
      id,
    );
    await expect(added).rejects.toThrow(/cannot be changed/);
    await sql('rollback');
  });
});
