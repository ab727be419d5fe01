import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, SetupError } from '../config/setup-error.ts';
import { findAccountByApiKeyHash, insertAccount, insertApiKey } from '../db/accounts.ts';
import { openDatabase } from '../db/client.ts';
import { type Account, defaultInvoiceGrace } from '../domain/account.ts';
import { DEFAULT_DUNNING_POLICY } from '../domain/dunning/policy.ts';

/** What an account is made of at first. */
export const FIRST_ACCOUNT: Account = {
  id: 'acct_first',
  name: 'My company',
  livemode: false,
  billingTimezone: 'UTC',
  prorationBasis: 'second',
  defaultTaxRateIds: [],
  taxCalculator: 'manual',
  dunningPolicy: DEFAULT_DUNNING_POLICY,
  invoiceGraceSeconds: defaultInvoiceGrace(false),
  invoiceNumberPrefix: 'INV',
  seller: { name: 'My company', email: null, address: null },
};

/** Where the first secret key is kept, readable by this user alone; the database has only its hash. */
export const keyFile = (home: string): string => join(home, 'api-key');

/**
 * Makes sure that the key kept in the home opens the first account of the database, and makes both where they are missing. The file is written first: a
 * start that dies in between goes on with the same key.
 */
export async function firstAccount(home: string, url: string): Promise<{ secretKey: string }> {
  const secretKey = readKey(home) ?? writeKey(home);
  const secretHash = createHash('sha256').update(secretKey).digest('hex');
  const db = openDatabase({ url, poolMax: 2 });
  try {
    if ((await findAccountByApiKeyHash(db, secretHash)) === null) {
      await insertAccount(db, FIRST_ACCOUNT);
      await insertApiKey(db, FIRST_ACCOUNT.id, { id: `key_${secretHash.slice(0, 24)}`, secretHash, last4: secretKey.slice(-4) });
    }
  } finally {
    await db.close();
  }
  return { secretKey };
}

function readKey(home: string): string | null {
  try {
    return readFileSync(keyFile(home), 'utf8').trim() || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new SetupError(`${keyFile(home)} cannot be read (${reasonOf(error)}): give this user access to it, or remove it for a new key`);
  }
}

function writeKey(home: string): string {
  const secretKey = `sk_test_${randomBytes(24).toString('hex')}`;
  const draft = `${keyFile(home)}.${process.pid}`;
  mkdirSync(home, { recursive: true });
  writeFileSync(draft, `${secretKey}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, keyFile(home));
  return secretKey;
}
