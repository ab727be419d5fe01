import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { insertAccount } from '../../db/accounts.ts';
import { type AccountTransaction, type Database, openDatabase, withAccount } from '../../db/client.ts';
import { insertCustomer, updateCustomer } from '../../db/customers.ts';
import { insertPaymentMethod } from '../../db/payment-methods.ts';
import { insertPrice } from '../../db/prices.ts';
import { insertProduct } from '../../db/products.ts';
import { recordDecision } from '../../db/record-decision.ts';
import { insertTaxRate } from '../../db/tax-rates.ts';
import { type Decision, emptyDecision, type Operation } from '../../domain/decision.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import type { JournalTransaction } from '../../domain/ledger/journal.ts';
import type { BilledPeriod } from '../../domain/subscription/subscription.ts';
import { startPostgres } from '../../servers/postgres.ts';
import {
  aCustomer,
  aLine,
  anAccount,
  anInvoice,
  aPaymentMethod,
  aPrice,
  aProduct,
  aSubscription,
  aTaxRate,
  END,
  START,
} from '../api/examples.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** A migrated database with the accounts acct_1 and acct_2, each with a customer, a card, two prices and a tax rate, ids ending in the account's number. */
export interface World {
  db: Database;
  url: string;
  /** The cluster's superuser, beyond row-level security. */
  admin: pg.Client;
  as<T>(accountId: string, work: (t: AccountTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function openCluster(): Promise<{ adminUrl: string; stop: () => Promise<void> }> {
  const shared = inject('postgresUrl') as string | undefined;
  if (shared !== undefined) return { adminUrl: shared, stop: async () => {} };
  const scratch = mkdtempSync(join(tmpdir(), 'perennial-db-'));
  chmodSync(scratch, 0o755);
  const server = await startPostgres({ dataDir: join(scratch, 'data'), fast: true });
  return {
    adminUrl: server.url,
    stop: async () => {
      await server.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

export async function openWorld({ poolMax = 10 }: { poolMax?: number } = {}): Promise<World> {
  const cluster = await openCluster();
  const database: TestDatabase = await createTestDatabase(cluster.adminUrl);
  const db = openDatabase({ url: database.url, poolMax });
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  for (const n of [1, 2]) await seedAccount(db, n);
  return {
    db,
    url: database.url,
    admin,
    as: (accountId, work) => withAccount(db, accountId, work),
    close: async () => {
      await db.close();
      await admin.end();
      await database.drop();
      await cluster.stop();
    },
  };
}

async function seedAccount(db: Database, n: number): Promise<void> {
  const accountId = `acct_${n}`;
  await insertAccount(db, anAccount({ id: accountId, invoiceNumberPrefix: `EX${n}`, defaultTaxRateIds: [] }));
  await withAccount(db, accountId, async (t) => {
    await insertCustomer(
      t,
      aCustomer({ id: `cus_${n}`, balance: 0, currency: null, defaultPaymentMethodId: null, externalId: `crm-${n}` }),
    );
    await insertPaymentMethod(t, aPaymentMethod({ id: `pm_${n}`, customerId: `cus_${n}` }));
    await updateCustomer(t, `cus_${n}`, { defaultPaymentMethodId: `pm_${n}` });
    await insertProduct(t, aProduct({ id: `prod_${n}`, defaultPriceId: null }));
    await insertPrice(t, aPrice({ id: `price_${n}`, productId: `prod_${n}` }));
    await insertPrice(t, aPrice({ id: `price_other_${n}`, productId: `prod_${n}`, unitAmountDecimal: '0.000000000001' }));
    await insertTaxRate(t, aTaxRate({ id: `txr_${n}` }));
  });
}

let count = 0;
export const unique = (prefix: string): string => `${prefix}_${(count += 1)}`;

export const anOperation = (patch: Partial<Operation> = {}): Operation => ({
  operationId: unique('op'),
  kind: 'issue-invoice',
  asOf: START,
  requestHash: 'hash',
  subscriptionId: null,
  invoiceId: null,
  actor: 'test',
  paymentBehavior: null,
  ...patch,
});

/** Records parts of a decision in a transaction of its own. */
export const record = (
  world: World,
  accountId: string,
  decision: Partial<Decision>,
  operation: Partial<Operation> = {},
): Promise<unknown> =>
  world.as(accountId, (t) => recordDecision(t, anOperation(operation), { ...emptyDecision(), ...decision }, (numbers) => ({ numbers })));

/** A draft with one line, ready to be finalised by giving it `finalised`. */
export function draftOf(n: number, id: string, patch: Partial<Invoice> = {}): Invoice {
  const line = aLine({ id: `il_${id}`, subscriptionItemId: null, priceId: `price_${n}`, productId: `prod_${n}`, taxes: [] });
  return anInvoice({
    id,
    number: null,
    status: 'draft',
    customerId: `cus_${n}`,
    subscriptionId: null,
    lines: [line],
    taxes: [],
    tax: 0,
    total: 2400,
    amountDue: 2400,
    amountRemaining: 2400,
    defaultTaxRateIds: [],
    finalizedAt: null,
    endingBalance: null,
    ...patch,
  });
}

export const finalised = (draft: Invoice, at = START): Invoice => ({ ...draft, status: 'open', finalizedAt: at, endingBalance: 0 });

export const journalOf = (invoice: Invoice, patch: Partial<JournalTransaction> = {}): JournalTransaction => ({
  id: unique('jt'),
  kind: 'invoice_finalized',
  currency: invoice.currency,
  invoiceId: invoice.id,
  paymentAttemptId: null,
  customerId: invoice.customerId,
  effectiveAt: START,
  entries: [
    { ledgerAccount: 'receivable', amount: invoice.total },
    { ledgerAccount: 'deferred_revenue', amount: -invoice.total },
  ],
  ...patch,
});

export const coverage = (
  n: number,
  subscriptionItemId: string,
  start: number,
  end: number,
  patch: Partial<BilledPeriod> = {},
): BilledPeriod => ({
  id: unique('bp'),
  subscriptionItemId,
  priceId: `price_${n}`,
  quantity: '2',
  start,
  end,
  originalStart: start,
  originalEnd: end,
  cycleStart: start,
  cycleEnd: end,
  amount: 2400,
  credited: 0,
  taxRateIds: [],
  component: null,
  invoiceId: null,
  invoiceLineId: null,
  invoiceItemId: null,
  ...patch,
});

/** A subscription's first decision: the subscription, its open invoice, coverage, journal, events. */
export function creation(n: number, id: string): Decision {
  const itemId = `si_${id}`;
  const invoice = finalised(draftOf(n, `in_${id}`, { subscriptionId: id }));
  const line = { ...(invoice.lines[0] as Invoice['lines'][number]), subscriptionItemId: itemId };
  const items = [
    {
      id: itemId,
      priceId: `price_${n}`,
      quantity: '2',
      taxRateIds: [`txr_${n}`],
      discounts: [],
      metadata: {},
      usageGte: null,
      createdAt: START,
    },
  ];
  return {
    ...emptyDecision(),
    subscription: aSubscription({
      id,
      customerId: `cus_${n}`,
      items,
      defaultTaxRateIds: [],
      billingThresholds: null,
      latestInvoiceId: invoice.id,
    }),
    invoices: [{ ...invoice, lines: [line] }],
    billed: {
      shrink: [],
      insert: [coverage(n, itemId, START, END, { id: `bp_${id}`, invoiceId: invoice.id, invoiceLineId: line.id })],
      attach: [],
    },
    customerCurrency: 'eur',
    journal: [journalOf(invoice)],
    events: [
      { type: 'customer.subscription.created', objectType: 'subscription', objectId: id, previous: null },
      { type: 'invoice.created', objectType: 'invoice', objectId: invoice.id, previous: null },
      { type: 'invoice.finalized', objectType: 'invoice', objectId: invoice.id, previous: { status: 'draft' } },
    ],
  };
}
