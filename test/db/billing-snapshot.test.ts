import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSnapshot } from '../../db/billing-snapshot.ts';
import { findCustomer, updateCustomer } from '../../db/customers.ts';
import { insertPaymentMethod, updatePaymentMethod } from '../../db/payment-methods.ts';
import { insertTaxRate } from '../../db/tax-rates.ts';
import type { PendingUpdate } from '../../domain/subscription/subscription.ts';
import { anAttempt, aPaymentMethod, aTaxRate, END, START } from '../api/examples.ts';
import { coverage, creation, draftOf, finalised, openWorld, record, unique, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const load = (query: Omit<Parameters<typeof loadSnapshot>[1], 'lock'>, accountId = 'acct_1') =>
  world.as(accountId, (t) => loadSnapshot(t, { ...query, lock: false }));

describe('what it holds', () => {
  test('of a customer: the account, the customer, what the command brings, and no subscription', async () => {
    const snapshot = await load({ customerId: 'cus_1', priceIds: ['price_1'], taxRateIds: ['txr_1'] });
    expect(snapshot).toMatchObject({ account: { id: 'acct_1' }, customer: { id: 'cus_1' }, subscription: null, invoice: null });
    expect(Object.keys(snapshot.prices)).toEqual(['price_1']);
    expect(Object.keys(snapshot.products)).toEqual(['prod_1']);
    expect(Object.keys(snapshot.taxRates)).toEqual(['txr_1']);
    expect(snapshot.paymentMethods.map(({ id }) => id)).toEqual(['pm_1']);
    for (const list of [snapshot.billed, snapshot.pendingItems, snapshot.openInvoices, snapshot.attempts]) expect(list).toEqual([]);
  });

  test('of a subscription: its invoices that are draft or open, oldest first, and coverage that reaches past the start of its period', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    const rows = [
      coverage(1, `si_${id}`, START - 200, START - 100),
      coverage(1, `si_${id}`, START - 100, START),
      coverage(1, `si_${id}`, END, END + 100),
    ];
    const paid = {
      ...finalised(draftOf(1, unique('in'), { subscriptionId: id })),
      status: 'paid' as const,
      amountPaid: 2400,
      amountRemaining: 0,
    };
    const later = draftOf(1, unique('in'), { subscriptionId: id, createdAt: START + 5 });
    await record(world, 'acct_1', { invoices: [later, paid], billed: { shrink: [], insert: rows, attach: [] } });
    const snapshot = await load({ subscriptionId: id });
    expect(snapshot.openInvoices.map((invoice) => invoice.id)).toEqual([`in_${id}`, later.id]);
    expect(snapshot.openInvoices[0]?.lines).toHaveLength(1);
    expect(snapshot.billed.map((row) => row.id)).toEqual([`bp_${id}`, rows[2]?.id]);
    expect(Object.keys(snapshot.taxRates)).toEqual(['txr_1']);
  });

  test('of an invoice: the invoice whatever its status, its attempts by number, its subscription and customer', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    for (const number of [2, 1]) {
      await record(world, 'acct_1', {
        attempt: anAttempt({ id: unique('pa'), invoiceId: `in_${id}`, number, idempotencyKey: unique('key') }),
      });
    }
    const snapshot = await load({ invoiceId: `in_${id}` });
    expect(snapshot).toMatchObject({ invoice: { id: `in_${id}` }, subscription: { id }, customer: { id: 'cus_1' } });
    expect(snapshot.attempts.map(({ number }) => number)).toEqual([1, 2]);
  });

  test('prices and tax rates of a pending update, which the subscription does not have yet', async () => {
    const id = unique('sub');
    const decision = creation(1, id);
    await world.as('acct_1', (t) => insertTaxRate(t, aTaxRate({ id: `txr_${id}` })));
    const subscription = decision.subscription as NonNullable<typeof decision.subscription>;
    const pendingUpdate: PendingUpdate = {
      operationId: 'op',
      invoiceId: `in_${id}`,
      expiresAt: END,
      next: {
        items: [{ id: 'si_next', priceId: 'price_other_1', quantity: '1', taxRateIds: [`txr_${id}`], metadata: {}, createdAt: START }],
        cycle: subscription.cycle,
        billingCycleAnchor: START,
        currentPeriodStart: START,
        currentPeriodEnd: END,
        billedShrinks: [],
        billedInserts: [],
      },
    };
    await record(world, 'acct_1', { ...decision, subscription: { ...subscription, pendingUpdate } });
    const snapshot = await load({ subscriptionId: id });
    expect(snapshot.subscription?.pendingUpdate).toEqual(pendingUpdate);
    expect(Object.keys(snapshot.prices).sort()).toEqual(['price_1', 'price_other_1']);
    expect(Object.keys(snapshot.taxRates).sort()).toEqual([`txr_${id}`, 'txr_1'].sort());
  });

  test("payment methods in the order in which they are tried; one that was detached is never the subscription's", async () => {
    const id = unique('sub');
    const [own, asked, foreign] = [unique('pm'), unique('pm'), unique('pm')];
    await world.as('acct_1', async (t) => {
      for (const pm of [own, asked]) await insertPaymentMethod(t, aPaymentMethod({ id: pm }));
      await insertPaymentMethod(t, aPaymentMethod({ id: foreign, customerId: null }));
    });
    const decision = creation(1, id);
    await record(world, 'acct_1', {
      ...decision,
      subscription: { ...(decision.subscription as NonNullable<typeof decision.subscription>), defaultPaymentMethodId: own },
    });
    const methods = async () =>
      (await load({ subscriptionId: id, paymentMethodIds: [asked, foreign] })).paymentMethods.map((method) => method.id);
    expect(await methods()).toEqual([own, 'pm_1', asked]);
    await world.as('acct_1', (t) => updatePaymentMethod(t, own, { customerId: null }));
    expect(await methods()).toEqual(['pm_1', asked]);
  });

  test('pending items of one second in the order in which they were decided', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    const ids = ['ii_z', 'ii_a', 'ii_m'].map((name) => `${name}_${id}`);
    const {
      id: _,
      taxes: __,
      invoiceItemId: ___,
      ...line
    } = draftOf(1, id).lines[0] as NonNullable<ReturnType<typeof draftOf>['lines'][0]>;
    await record(world, 'acct_1', {
      pendingItems: {
        insert: ids.map((item) => ({
          id: item,
          customerId: 'cus_1',
          subscriptionId: id,
          invoiceId: null,
          line,
          taxRateIds: [],
          date: START,
        })),
        change: [],
        consume: [],
        remove: [],
      },
    });
    expect((await load({ subscriptionId: id })).pendingItems.map((item) => item.id)).toEqual(ids);
  });
});

describe('what is missing', () => {
  test.each([
    [{ customerId: 'cus_none' }, 'customer'],
    [{ subscriptionId: 'sub_none' }, 'subscription'],
    [{ invoiceId: 'in_none' }, 'invoice'],
    [{ customerId: 'cus_2' }, 'customer'],
  ])('%o is refused', async (query, param) => {
    await expect(load(query)).rejects.toMatchObject({ code: 'resource_missing', param });
  });

  test('prices that do not exist are left out', async () => {
    expect((await load({ customerId: 'cus_1', priceIds: ['price_none', 'price_2'] })).prices).toEqual({});
  });
});

describe('the lock', () => {
  test('a decision that waited for another sees what the other wrote', async () => {
    const gate = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const first = world.as('acct_1', async (t) => {
      await loadSnapshot(t, { customerId: 'cus_1', lock: true });
      locked.resolve();
      await gate.promise;
      await updateCustomer(t, 'cus_1', { name: 'Written first' });
    });
    await locked.promise;
    const second = world.as('acct_1', (t) => loadSnapshot(t, { customerId: 'cus_1', lock: true }));
    // The second is waiting once Postgres says so.
    await expect
      .poll(
        async () =>
          (await world.admin.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`))
            .rowCount,
      )
      .toBe(1);
    gate.resolve();
    await first;
    expect((await second).customer.name).toBe('Written first');
  });

  test('does not hold up who reads the customer or attaches a payment method', async () => {
    await world.as('acct_1', async (t) => {
      await loadSnapshot(t, { customerId: 'cus_1', lock: true });
      await world.as('acct_1', async (other) => {
        await findCustomer(other, 'cus_1');
        await insertPaymentMethod(other, aPaymentMethod({ id: unique('pm') }));
      });
    });
  });

  test('read-modify-write under it loses nothing', async () => {
    await world.as('acct_2', (t) => updateCustomer(t, 'cus_2', { metadata: { n: '0' } }));
    await Promise.all(
      Array.from({ length: 20 }, () =>
        world.as('acct_2', async (t) => {
          const { customer } = await loadSnapshot(t, { customerId: 'cus_2', lock: true });
          await updateCustomer(t, 'cus_2', { metadata: { n: String(Number(customer.metadata['n']) + 1) } });
        }),
      ),
    );
    expect((await world.as('acct_2', (t) => findCustomer(t, 'cus_2')))?.metadata).toEqual({ n: '20' });
  });
});
