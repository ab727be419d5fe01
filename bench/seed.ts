import { randomBytes } from 'node:crypto';
import type { Activities, SubscriptionFacts } from '../activities/index.ts';
import { makeActivities } from '../activities/make-activities.ts';
import { type Database, openDatabase, withAccount } from '../db/client.ts';
import { insertCustomer } from '../db/customers.ts';
import { insertPaymentMethod } from '../db/payment-methods.ts';
import { insertPrice } from '../db/prices.ts';
import { insertProduct } from '../db/products.ts';
import type { Instant } from '../domain/time.ts';
import { paymentGatewayRegistry } from '../gateways/payment/registry.ts';
import { openSandbox, type SandboxGateway } from '../gateways/payment/sandbox/sandbox-gateway.ts';
import { taxCalculatorRegistry } from '../gateways/tax/registry.ts';
import { inParallel } from './in-parallel.ts';

export const ACCOUNT = 'acct_first';
export const PRICE = 'price_bench';
/** Thirty days and not a month: every day of the year is thirty days after some other, but few are a month after one. */
export const CYCLE = { interval: 'day', intervalCount: 30 } as const;
export const CYCLE_SECONDS = 30 * 86_400;
const WIDTH = 8;

/** A subscription as the books have it; no workflow keeps it yet. */
export interface Seeded {
  subscriptionId: string;
  customerId: string;
  facts: SubscriptionFacts;
}

/** Writes the books of the past, by the code that writes them in the present. */
export interface Seeder {
  /** `count` customers with a card, each with a subscription created and paid at `startedAt`. */
  subscriptions(count: number, startedAt: Instant): Promise<Seeded[]>;
  /** Customers with a card and nothing else. */
  customers(count: number, at: Instant): Promise<string[]>;
  close(): Promise<void>;
}

export async function openSeeder(databaseUrl: string): Promise<Seeder> {
  const db = openDatabase({ url: databaseUrl, poolMax: WIDTH });
  const sandbox = openSandbox({ url: databaseUrl });
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const activities = makeActivities({
    db,
    log: quiet,
    gateways: paymentGatewayRegistry([sandbox]),
    taxCalculators: taxCalculatorRegistry([]),
    reach: () => {},
  });
  await insertCatalogue(db);
  const customers: Seeder['customers'] = (count, at) =>
    inParallel(Array.from({ length: count }), WIDTH, () => insertCustomerWithCard(db, sandbox, at));
  return {
    customers,
    subscriptions: async (count, startedAt) =>
      inParallel(await customers(count, startedAt), WIDTH, (customerId) => subscribe(activities, customerId, startedAt)),
    close: async () => {
      await sandbox.close();
      await db.close();
    },
  };
}

const named = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`;

async function insertCatalogue(db: Database): Promise<void> {
  const stamps = { metadata: {}, externalId: null, active: true, createdAt: 1_700_000_000 };
  await withAccount(db, ACCOUNT, async (t) => {
    await insertProduct(t, {
      ...stamps,
      id: 'prod_bench',
      name: 'Seat',
      description: null,
      defaultPriceId: null,
      unitLabel: null,
      updatedAt: stamps.createdAt,
    });
    await insertPrice(t, {
      ...stamps,
      id: PRICE,
      productId: 'prod_bench',
      currency: 'eur',
      unitAmountDecimal: '1200',
      billingScheme: 'per_unit',
      tiersMode: null,
      tiers: null,
      transformQuantity: null,
      currencyOptions: {},
      madeFor: null,
      recurring: { ...CYCLE, usageType: 'licensed', meterId: null },
      taxBehavior: 'exclusive',
      nickname: null,
      lookupKey: null,
    });
  });
}

async function insertCustomerWithCard(db: Database, sandbox: SandboxGateway, createdAt: Instant): Promise<string> {
  const [customerId, paymentMethodId] = [named('cus'), named('pm')];
  const { reference, type, card } = await sandbox.attachPaymentMethod({ reference: 'pm_card_visa' });
  const stamps = { metadata: {}, createdAt };
  await withAccount(db, ACCOUNT, async (t) => {
    await insertCustomer(t, {
      ...stamps,
      id: customerId,
      name: 'Ada',
      email: null,
      phone: null,
      description: null,
      address: null,
      currency: null,
      balance: 0,
      defaultPaymentMethodId: null,
      defaultTaxRateIds: [],
      taxExempt: 'none',
      billingTimezone: null,
      externalId: null,
      deleted: false,
    });
    await insertPaymentMethod(t, {
      ...stamps,
      id: paymentMethodId,
      customerId,
      type,
      gateway: 'sandbox',
      gatewayReference: reference,
      card,
    });
    await t.run('update customers set default_payment_method_id = $1 where id = $2', [paymentMethodId, customerId]);
  });
  return customerId;
}

async function subscribe(activities: Activities, customerId: string, startedAt: Instant): Promise<Seeded> {
  const subscriptionId = named('sub');
  const envelope = { accountId: ACCOUNT, asOf: startedAt, actor: 'bench' };
  const { invoice } = await activities.createSubscription({
    ...envelope,
    operationId: `create:${subscriptionId}`,
    subscriptionId,
    customerId,
    currency: null,
    items: [{ id: itemOf(subscriptionId), priceId: PRICE, quantity: '1', taxRateIds: [] }],
    paymentBehavior: 'allow_incomplete',
    billingTimezone: null,
    defaultPaymentMethodId: null,
    defaultTaxRateIds: [],
    cancelAtPeriodEnd: false,
    cancelAt: null,
  });
  if (!invoice) throw new Error('the creation made no invoice');
  const collect = { ...envelope, operationId: `collect:${invoice.id}`, invoiceId: invoice.id, paymentMethodId: null };
  const { outcome, subscription } = await activities.collectPayment(collect);
  if (outcome !== 'paid' || !subscription) throw new Error(`the first invoice was not paid: ${outcome}`);
  return { subscriptionId, customerId, facts: subscription };
}

export const itemOf = (subscriptionId: string): string => subscriptionId.replace(/^sub_/, 'si_');
