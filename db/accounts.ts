import type { Account } from '../domain/account.ts';
import { type AccountTransaction, type Database, withAccount } from './client.ts';
import { fromRow, insertRows, type Row, type TableShape, toRow } from './table.ts';

export const ACCOUNTS: TableShape<Account> = {
  table: 'accounts',
  keys: [
    'id',
    'name',
    'livemode',
    'billingTimezone',
    'prorationBasis',
    'defaultTaxRateIds',
    'taxCalculator',
    'dunningPolicy',
    'invoiceGraceSeconds',
    'lateUsage',
    'invoiceNumberPrefix',
    'seller',
  ],
  instants: [],
};

/** Creates an account with its series of invoice numbers. Nothing happens where it exists. */
export async function insertAccount(db: Database, account: Account): Promise<void> {
  await withAccount(db, account.id, async (t) => {
    const { account_id: _, ...row } = toRow(ACCOUNTS, account.id, account);
    await insertRows(t, 'accounts', [row], 'on conflict do nothing');
    await insertRows(t, 'invoice_number_series', [{ account_id: account.id, next_number: 1 }], 'on conflict do nothing');
  });
}

export async function findAccount(t: AccountTransaction): Promise<Account | null> {
  const { rows } = await t.trx.raw('select to_jsonb(a) as row from accounts a where id = ?', [t.accountId]);
  return rows[0] ? fromRow(ACCOUNTS, rows[0].row) : null;
}

export async function updateAccount(t: AccountTransaction, patch: Partial<Omit<Account, 'id'>>): Promise<void> {
  const { account_id: _, ...row } = toRow(ACCOUNTS, t.accountId, patch);
  const sets = Object.keys(row).map((column) => `${column} = given.${column}`);
  if (sets.length === 0) return;
  await t.trx.raw(`update accounts a set ${sets.join(', ')} from jsonb_populate_record(null::accounts, ?::jsonb) given where a.id = ?`, [
    JSON.stringify(row),
    t.accountId,
  ]);
}

/** Ids of all accounts, in their order. For operators' commands: a request is bound to its own account. */
export async function listAccountIds(db: Database): Promise<string[]> {
  return db.knex.transaction(async (trx) => {
    await trx.raw(`select set_config('app.every_account', 'on', true)`);
    const { rows } = await trx.raw('select id from accounts order by id');
    return (rows as { id: string }[]).map(({ id }) => id);
  });
}

/** A secret key of an account. Only its sha256 (hex) is kept, and its last four characters to recognise it by. */
export interface ApiKey {
  id: string;
  secretHash: string;
  last4: string;
}

export async function insertApiKey(db: Database, accountId: string, key: ApiKey): Promise<void> {
  await withAccount(db, accountId, (t) =>
    insertRows(
      t,
      'api_keys',
      [{ account_id: accountId, id: key.id, secret_hash: key.secretHash, last4: key.last4, revoked: false }],
      'on conflict do nothing',
    ),
  );
}

export interface KeyOwner {
  account: Account;
  /** Signs the account's preview tokens; never leaves the API. */
  previewSecret: string;
}

/** The account a secret key belongs to, by the sha256 of the key; null where no such key is in force. One statement, which is its own transaction. */
export async function findAccountByApiKeyHash(db: Database, hash: string): Promise<KeyOwner | null> {
  const { rows } = await db.knex.raw('select account_by_key_hash(?) as row', [hash]);
  const row: Row | null = rows[0]?.row ?? null;
  return row && { account: fromRow(ACCOUNTS, row), previewSecret: String(row['preview_secret']) };
}
