import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findAccount, findAccountByApiKeyHash, insertApiKey, updateAccount } from '../../db/accounts.ts';
import { insertAlert } from '../../db/alerts.ts';
import { insertCoupon } from '../../db/coupons.ts';
import { insertCreditTopUp } from '../../db/credit-top-ups.ts';
import { insertCreditGrant } from '../../db/credits.ts';
import { findCustomer, insertCustomer, listCustomers, updateCustomer } from '../../db/customers.ts';
import { changeProductFeatures } from '../../db/entitlements.ts';
import { listEvents } from '../../db/events.ts';
import { insertFeature, insertProductFeature } from '../../db/features.ts';
import { findInvoice } from '../../db/invoices.ts';
import { insertMeter } from '../../db/meters.ts';
import { enrolCohort } from '../../db/migration-cohort.ts';
import { insertPriceMigration } from '../../db/price-migrations.ts';
import { insertPromotionCode } from '../../db/promotion-codes.ts';
import { recordMeterEvents } from '../../db/record-meter-events.ts';
import { writeScheduledChanges } from '../../db/scheduled-changes.ts';
import { insertTestClock } from '../../db/test-clocks.ts';
import {
  aCoupon,
  aCreditGrant,
  aCreditTopUp,
  aCreditTransaction,
  aCustomer,
  aDiscount,
  aFeature,
  aMeter,
  anAlert,
  anAttempt,
  aPriceMigration,
  aPromotionCode,
  aScheduledChange,
  aTestClock,
  START,
} from '../api/examples.ts';
import { creation, openWorld, record, unique, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  for (const n of [1, 2]) {
    await world.as(`acct_${n}`, async (t) => {
      await insertCoupon(t, aCoupon({ id: `SPRING_${n}` }));
      await insertCreditGrant(t, aCreditGrant({ id: `credgr_${n}`, customerId: `cus_${n}` }));
      await insertCreditTopUp(t, aCreditTopUp({ id: `crtopup_${n}`, customerId: `cus_${n}` }));
      await insertPromotionCode(t, aPromotionCode({ id: `promo_${n}`, couponId: `SPRING_${n}` }));
    });
    const decision = creation(n, `sub_${n}`);
    await record(world, `acct_${n}`, {
      ...decision,
      attempt: anAttempt({
        id: `pa_${n}`,
        invoiceId: `in_sub_${n}`,
        customerId: `cus_${n}`,
        paymentMethodId: `pm_${n}`,
        idempotencyKey: `k_${n}`,
      }),
      discounts: [
        aDiscount({ id: `di_${n}`, couponId: `SPRING_${n}`, promotionCodeId: null, customerId: `cus_${n}`, subscriptionId: `sub_${n}` }),
      ],
      credits: { grants: [], transactions: [aCreditTransaction({ id: `crbtxn_${n}`, grantId: `credgr_${n}`, customerId: `cus_${n}` })] },
      balance: [
        {
          id: `cbtxn_${n}`,
          customerId: `cus_${n}`,
          type: 'adjustment',
          amount: -1,
          endingBalance: -1,
          currency: 'eur',
          invoiceId: null,
          createdAt: START,
        },
      ],
    });
    const scheduled = aScheduledChange({ id: `schg_${n}`, subscriptionId: `sub_${n}` });
    await record(world, `acct_${n}`, {}, { sharedBy: [`sub_${n}`] });
    await world.as(`acct_${n}`, (t) => writeScheduledChanges(t, { operationId: `op_${n}` }, [scheduled]));
    const migration = aPriceMigration({ id: `pmig_${n}`, fromPriceId: `price_${n}`, toPriceId: `price_${n}` });
    await world.as(`acct_${n}`, async (t) => {
      await insertPriceMigration(t, migration);
      await enrolCohort(t, migration);
    });
    await world.as(`acct_${n}`, (t) => insertTestClock(t, aTestClock({ id: `clock_${n}` })));
    const used = { eventName: 'calls', payload: { stripe_customer_id: `cus_${n}`, value: '1' }, identifier: 'e', timestamp: START };
    await world.as(`acct_${n}`, async (t) => {
      await insertMeter(t, aMeter({ id: `mtr_${n}` }));
      await insertAlert(t, anAlert({ id: `alrt_${n}`, meterId: `mtr_${n}` }));
      await recordMeterEvents(t, [used], START);
      await insertFeature(t, aFeature({ id: `feat_${n}` }));
      await changeProductFeatures(t, { productId: `prod_${n}`, asOf: START, actor: null }, async () => {
        await insertProductFeature(t, { id: `prodft_${n}`, productId: `prod_${n}`, featureId: `feat_${n}`, limit: null, createdAt: START });
      });
    });
  }
});
afterAll(() => world.close());

test('in every table only the rows of the account exist', async () => {
  const { rows: tables } = await world.admin.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id'
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
  );
  const seen: string[] = [];
  for (const { name } of tables) {
    const { rows } = await world.as('acct_1', (t) => t.run<{ account_id: string }>(`select distinct account_id from ${name}`, []));
    expect(
      rows.filter((row) => row.account_id !== 'acct_1'),
      name,
    ).toEqual([]);
    if (rows.length > 0) seen.push(name);
  }
  // The rest have rows of no account here.
  expect(tables.map(({ name }) => name).filter((name) => !seen.includes(name))).toEqual([
    'api_keys',
    'idempotency_keys',
    'invoice_edits',
    'invoice_items',
    'quote_number_series',
    'quotes',
    'refused_commands',
    'schedule_edits',
    'subscription_schedules',
    'usage_periods',
  ]);
});

test('a connection that is bound to no account sees nothing', async () => {
  const { rows } = await world.db.knex.raw(
    'select (select count(*) from customers) + (select count(*) from accounts) + (select count(*) from api_keys) as n',
  );
  expect(rows).toEqual([{ n: 0 }]);
});

test('the binding ends with the transaction', async () => {
  await world.as('acct_1', (t) => findCustomer(t, 'cus_1'));
  const { rows } = await world.db.knex.raw(`select current_setting('app.account_id', true) as bound`);
  expect(rows[0].bound ?? '').toBe('');
});

test("another account's rows are not found, listed, changed or referred to", async () => {
  await world.as('acct_1', async (t) => {
    expect(await findCustomer(t, 'cus_2')).toBeNull();
    expect(await findInvoice(t, 'in_sub_2')).toBeNull();
    expect(await updateCustomer(t, 'cus_2', { name: 'Mallory' })).toBeNull();
    expect((await listCustomers(t, { limit: 10 })).items.map((row) => row.id)).toEqual(['cus_1']);
    expect((await listEvents(t, { limit: 10, objectId: 'in_sub_2' })).items).toEqual([]);
  });
  await expect(
    world.as('acct_1', (t) => insertCustomer(t, aCustomer({ id: unique('cus'), externalId: null, defaultPaymentMethodId: 'pm_2' }))),
  ).rejects.toThrow(/foreign key/);
});

test('a row cannot be written for another account', async () => {
  await expect(
    world.as('acct_1', (t) =>
      insertCustomer({ ...t, accountId: 'acct_2' }, aCustomer({ id: unique('cus'), externalId: null, defaultPaymentMethodId: null })),
    ),
  ).rejects.toThrow(/row-level security/);
  await expect(world.as('acct_1', (t) => t.run(`update customers set account_id = 'acct_2' where id = $1`, ['cus_1']))).rejects.toThrow(
    /row-level security/,
  );
});

test('the role may neither bypass security nor change the schema', async () => {
  const { rows } = await world.as('acct_1', (t) =>
    t.run('select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user', []),
  );
  expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, rolcreaterole: false }]);
  await expect(world.as('acct_1', (t) => t.run('alter table customers disable row level security', []))).rejects.toThrow(/owner/);
  await expect(world.as('acct_1', (t) => t.run('truncate events', []))).rejects.toThrow(/permission denied/);
});

test('a key leads to its account, while it is in force and to nobody else', async () => {
  const hash = createHash('sha256').update('sk_test_one').digest('hex');
  await insertApiKey(world.db, 'acct_1', { id: unique('key'), secretHash: hash, last4: '_one' });
  expect(await findAccountByApiKeyHash(world.db, hash)).toMatchObject({ account: { id: 'acct_1', invoiceNumberPrefix: 'EX1' } });
  expect(await findAccountByApiKeyHash(world.db, hash.replace(/^./, 'x'))).toBeNull();
  await world.as('acct_1', (t) => t.run('update api_keys set revoked = true where secret_hash = $1', [hash]));
  expect(await findAccountByApiKeyHash(world.db, hash)).toBeNull();
});

test('knowing a key lets nobody write its account', async () => {
  const hash = createHash('sha256').update('sk_test_two').digest('hex');
  await insertApiKey(world.db, 'acct_2', { id: unique('key'), secretHash: hash, last4: '_two' });
  const changed = await world.as('acct_1', async (t) => {
    await t.run(`select set_config('app.key_hash', $1, true)`, [hash]);
    return (await t.run(`update accounts set name = 'Mallory' where id = 'acct_2'`, [])).rowCount;
  });
  expect(changed).toBe(0);
});

test("an account's settings are its own", async () => {
  await world.as('acct_1', (t) => updateAccount(t, { taxCalculator: 'fake', seller: { name: 'New', email: null, address: null } }));
  expect(await world.as('acct_1', (t) => findAccount(t))).toMatchObject({
    taxCalculator: 'fake',
    seller: { name: 'New' },
    name: 'Example GmbH',
  });
  expect(await world.as('acct_2', (t) => findAccount(t))).toMatchObject({ taxCalculator: 'manual' });
});
