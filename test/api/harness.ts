import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { pino } from 'pino';
import Stripe from 'stripe';
import { inject, vi } from 'vitest';
import { hashApiKey } from '../../api/authenticate.ts';
import type { Commands } from '../../api/commands.ts';
import { createApp } from '../../api/create-app.ts';
import { insertAccount, insertApiKey } from '../../db/accounts.ts';
import { type Database, openDatabase, withAccount } from '../../db/client.ts';
import { insertCoupon } from '../../db/coupons.ts';
import { insertCreditTopUp } from '../../db/credit-top-ups.ts';
import { insertCreditGrant } from '../../db/credits.ts';
import { insertCustomer, updateCustomer } from '../../db/customers.ts';
import { insertFeature } from '../../db/features.ts';
import { insertMeter } from '../../db/meters.ts';
import { insertPaymentMethod } from '../../db/payment-methods.ts';
import { insertPriceMigration } from '../../db/price-migrations.ts';
import { insertPrice } from '../../db/prices.ts';
import { insertProduct } from '../../db/products.ts';
import { insertPromotionCode } from '../../db/promotion-codes.ts';
import { insertQuote } from '../../db/quotes.ts';
import { recordDecision } from '../../db/record-decision.ts';
import { insertTaxRate } from '../../db/tax-rates.ts';
import { insertTestClock } from '../../db/test-clocks.ts';
import { type Decision, emptyDecision } from '../../domain/decision.ts';
import type { PaymentGateway } from '../../gateways/payment/payment-gateway.ts';
import { describe as describeTestMethod } from '../../gateways/payment/sandbox/test-payment-methods.ts';
import { taxCalculatorRegistry } from '../../gateways/tax/registry.ts';
import type { TaxCalculator } from '../../gateways/tax/tax-calculator.ts';
import { createTestDatabase } from '../support/database.ts';
import {
  aCoupon,
  aCreditGrant,
  aCreditTopUp,
  aCustomer,
  aFeature,
  aLine,
  aMeter,
  anAccount,
  anInvoice,
  aPaymentMethod,
  aPrice,
  aPriceMigration,
  aProduct,
  aPromotionCode,
  aQuote,
  aSubscription,
  aTaxRate,
  aTestClock,
  START,
} from './examples.ts';

export const KEYS = { acct_1: 'sk_test_firstaccount1', acct_2: 'sk_test_secondaccount2' } as const;

export interface Api {
  url: string;
  db: Database;
  stripe: Stripe;
  commands: { [K in keyof Commands]: ReturnType<typeof vi.fn<Commands[K]>> };
  /** Rows per table, as the superuser sees them. */
  countRows(): Promise<Record<string, number>>;
  request(method: string, path: string, init?: { body?: string | Buffer; headers?: Record<string, string> }): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  body: Record<string, any>;
}

/** The real app on a real Postgres with two accounts; workflows are stood for by `commands`, the gateway by its catalogue of test methods. */
export async function startApi(now: () => number = () => START + 60, taxCalculators: TaxCalculator[] = []): Promise<Api> {
  const database = await createTestDatabase(inject('postgresUrl' as never));
  const db = openDatabase({ url: database.url, poolMax: 5 });
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  const { rows: tables } = await admin.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`,
  );
  // One trip for all: it is asked after every test of bad input.
  const counting = {
    name: 'count-rows',
    text: `select ${tables.map(({ name }) => `(select count(*)::int from "${name}") as "${name}"`).join(', ')}`,
  };
  for (const [id, key] of Object.entries(KEYS)) {
    await insertAccount(db, anAccount({ id }));
    await insertApiKey(db, id, { id: `key_${id}`, secretHash: hashApiKey(key), last4: key.slice(-4) });
  }
  const unexpected = async (): Promise<never> => {
    throw new Error('no command was expected');
  };
  const commands: Api['commands'] = {
    subscribe: vi.fn<Commands['subscribe']>(unexpected),
    changePlan: vi.fn<Commands['changePlan']>(unexpected),
    cancel: vi.fn<Commands['cancel']>(unexpected),
    scheduleCancellation: vi.fn<Commands['scheduleCancellation']>(unexpected),
    pause: vi.fn<Commands['pause']>(unexpected),
    resume: vi.fn<Commands['resume']>(unexpected),
    reactivate: vi.fn<Commands['reactivate']>(unexpected),
    cancelScheduledChange: vi.fn<Commands['cancelScheduledChange']>(unexpected),
    awaitQuote: vi.fn<Commands['awaitQuote']>(unexpected),
    quoteChanged: vi.fn<Commands['quoteChanged']>(unexpected),
    openSchedule: vi.fn<Commands['openSchedule']>(unexpected),
    editSchedule: vi.fn<Commands['editSchedule']>(unexpected),
    commandInvoice: vi.fn<Commands['commandInvoice']>(unexpected),
    paymentMethodChanged: vi.fn<Commands['paymentMethodChanged']>(unexpected),
    usageReported: vi.fn<Commands['usageReported']>(unexpected),
    joinClock: vi.fn<Commands['joinClock']>(unexpected),
    advanceClock: vi.fn<Commands['advanceClock']>(unexpected),
    migratePrice: vi.fn<Commands['migratePrice']>(unexpected),
    ready: vi.fn<Commands['ready']>(async () => {}),
  };
  const gateway = {
    name: 'sandbox',
    attachPaymentMethod: async (source) => describeTestMethod(source),
  } as Partial<PaymentGateway> as PaymentGateway;
  const app = createApp({
    db,
    temporal: commands,
    gateways: { sandbox: gateway },
    taxCalculators: taxCalculatorRegistry(taxCalculators),
    log: pino({ level: process.env['API_TEST_LOG'] ?? 'silent' }),
    taskQueue: 'unused',
    deadlineMs: 1000,
    now,
  });
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    db,
    commands,
    stripe: new Stripe(KEYS.acct_1, { host: '127.0.0.1', port, protocol: 'http', telemetry: false, maxNetworkRetries: 0 }),
    countRows: async () => (await admin.query(counting)).rows[0],
    request: async (method, path, { body, headers = {} } = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${KEYS.acct_1}`,
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: body as string }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : { text } };
    },
    stop: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await db.close();
      await admin.end();
      await database.drop();
    },
  };
}

let operations = 0;

/** Writes a decision as a worker would have. */
export const write = (
  db: Database,
  accountId: string,
  decision: Partial<Decision>,
  operationId = `op_seed_${(operations += 1)}`,
): Promise<unknown> =>
  withAccount(db, accountId, (t) =>
    recordDecision(
      t,
      {
        operationId,
        kind: 'create-subscription',
        asOf: START,
        requestHash: operationId,
        subscriptionId: null,
        invoiceId: null,
        actor: 'test',
        paymentBehavior: null,
      },
      { ...emptyDecision(), ...decision },
      () => null,
    ),
  );

/** A customer with a card, a catalogue, a subscription and its open invoice. `suffix` keeps the ids of two accounts apart. */
export async function seed(db: Database, accountId: string, suffix = ''): Promise<void> {
  const id = (name: string): string => `${name}${suffix}`;
  const product = aProduct({ id: id('prod_1'), defaultPriceId: null });
  await withAccount(db, accountId, async (t) => {
    await insertCustomer(t, aCustomer({ id: id('cus_1'), balance: 0, defaultPaymentMethodId: null, externalId: id('crm') }));
    await insertPaymentMethod(t, aPaymentMethod({ id: id('pm_1'), customerId: id('cus_1') }));
    await updateCustomer(t, id('cus_1'), { defaultPaymentMethodId: id('pm_1') });
    await insertProduct(t, product);
    for (const price of ['price_1', 'price_2']) await insertPrice(t, aPrice({ id: id(price), productId: product.id }));
    await insertPrice(t, aPrice({ id: id('price_dear'), productId: product.id, unitAmountDecimal: '999999999999' }));
    await insertTaxRate(t, aTaxRate({ id: id('txr_1') }));
    await insertCoupon(t, aCoupon({ id: id('SPRING'), appliesTo: null }));
    await insertCoupon(t, aCoupon({ id: id('LATE'), appliesTo: null, redeemBy: START }));
    await insertCoupon(t, aCoupon({ id: id('DOLLARS'), appliesTo: null, percentOff: null, amountOff: 500, currency: 'usd' }));
    await insertPromotionCode(t, aPromotionCode({ id: id('promo_1'), code: id('Welcome'), couponId: id('SPRING') }));
    await insertPromotionCode(t, aPromotionCode({ id: id('promo_off'), code: id('off'), couponId: id('SPRING'), active: false }));
    await insertCreditGrant(t, aCreditGrant({ id: id('credgr_1'), customerId: id('cus_1'), expiresAt: null }));
    await insertCreditGrant(t, aCreditGrant({ id: id('credgr_used'), customerId: id('cus_1'), remaining: 1, expiresAt: null }));
    await insertCreditGrant(
      t,
      aCreditGrant({ id: id('credgr_over'), customerId: id('cus_1'), expiresAt: START - 1, effectiveAt: START - 2 }),
    );
    await insertCreditTopUp(t, aCreditTopUp({ id: id('crtopup_1'), customerId: id('cus_1'), active: false }));
    await insertTestClock(t, aTestClock({ id: id('clock_1') }));
    const [fromPriceId, toPriceId] = [id('price_1'), id('price_2')];
    await insertPriceMigration(t, aPriceMigration({ id: id('pmig_1'), fromPriceId, toPriceId }));
    await insertMeter(t, aMeter({ id: id('mtr_1') }));
    const [line] = aQuote().lines.map((one) => ({ ...one, priceId: id('price_1') }));
    const draft = { status: 'draft', number: null, finalizedAt: null, customerId: id('cus_1'), lines: line ? [line] : [] } as const;
    await insertQuote(t, aQuote({ ...draft, id: id('qt_1'), subscriptionId: id('sub_offered'), scheduleId: id('sub_sched_offered') }));
    await insertFeature(t, aFeature({ id: id('feat_1'), lookupKey: id('export') }));
  });
  const item = { id: id('si_1'), priceId: id('price_1'), quantity: '2', taxRateIds: [id('txr_1')], metadata: {}, createdAt: START };
  const line = aLine({
    id: id('il_1'),
    subscriptionItemId: item.id,
    priceId: id('price_1'),
    productId: product.id,
    taxes: [{ taxRateId: id('txr_1'), displayName: 'VAT', percentage: '19', inclusive: false, taxableAmount: 2400, amount: 456 }],
  });
  const invoice = anInvoice({
    id: id('in_1'),
    number: null,
    customerId: id('cus_1'),
    subscriptionId: id('sub_1'),
    lines: [line],
    taxes: line.taxes,
    defaultTaxRateIds: [id('txr_1')],
  });
  const subscription = aSubscription({
    id: id('sub_1'),
    customerId: id('cus_1'),
    items: [item],
    defaultTaxRateIds: [],
    latestInvoiceId: invoice.id,
  });
  await write(db, accountId, {
    subscription,
    invoices: [invoice],
    events: [
      { type: 'customer.subscription.created', objectType: 'subscription', objectId: subscription.id, previous: null },
      { type: 'invoice.finalized', objectType: 'invoice', objectId: invoice.id, previous: null },
    ],
  });
}

/** The error the official client throws. */
export const refused = async (call: Promise<unknown>): Promise<Stripe.errors.StripeError> => {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Stripe.errors.StripeError)) throw new Error(`was not refused: ${String(error)}`);
  return error;
};
