import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Price } from '../domain/catalog/price.ts';
import type { Decision, IdSource } from '../domain/decision.ts';
import { prorateCharge, prorateCredit } from '../domain/rating/prorate.ts';
import { decideChange } from '../domain/subscription/change-plan.ts';
import { decideCreation } from '../domain/subscription/create-subscription.ts';
import { applyDecision } from '../domain/subscription/foresee.ts';
import { decideRenewal } from '../domain/subscription/renew.ts';
import { instant } from '../domain/time.ts';
import { round } from './burst.ts';

/** What the pure functions manage on one core, without a database: nothing is read and nothing written. */
export interface DecisionsReport {
  /** Renewals of a subscription of three items (a price per unit, one with tiers, one in packages) with one tax rate, each decision with its invoice, journal and events. */
  invoicesPerSecond: number;
  /** Upgrades of one of those items in mid-period, invoiced at once: a credit, a charge and the invoice. */
  changesPerSecond: number;
  /** A credit or a charge over a part of a period, rounded. */
  prorationsPerSecond: number;
}

const START = instant('2027-01-31T00:00:00Z');
const MIDDLE = instant('2027-02-11T12:34:56Z');

/** @param seconds for how long each is tried */
export function measureDecisions(seconds: number): DecisionsReport {
  const snapshot = subscribed();
  const { subscription } = snapshot;
  const [item] = subscription?.items ?? [];
  const [row] = snapshot.billed;
  const price = snapshot.prices['price_tiers'];
  if (!subscription || !item || !row || !price) throw new Error('there is nothing to decide about');
  const newId = counting();
  const terms = { basis: 'second', zone: 'UTC' } as const;
  const cycle = { start: subscription.currentPeriodStart, end: subscription.currentPeriodEnd };
  const renew = (): unknown => decideRenewal(snapshot, { asOf: subscription.currentPeriodEnd, newId });
  const change = (): unknown =>
    decideChange(
      snapshot,
      {
        items: [{ do: 'update', itemId: item.id, quantity: '9' }],
        prorationBehavior: 'always_invoice',
        paymentBehavior: 'allow_incomplete',
      },
      { asOf: MIDDLE, newId },
    );
  let part = 0;
  const prorate = (): void => {
    part = (part + 1) % 1_000_000;
    prorateCredit(row, cycle.start + part, terms);
    prorateCharge(price, '17', { start: cycle.start + part, end: cycle.end }, cycle, terms);
  };
  return {
    invoicesPerSecond: perSecond(renew, seconds),
    changesPerSecond: perSecond(change, seconds),
    prorationsPerSecond: 2 * perSecond(prorate, seconds),
  };
}

/** Milliseconds that this process had a processor, garbage collection included: what else runs on the machine is not counted. */
function cpuNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** After a second of warming up, by the time of one processor. */
function perSecond(work: () => unknown, seconds: number): number {
  const run = (ms: number): number => {
    const started = cpuNow();
    let done = 0;
    let elapsed = 0;
    while (elapsed < ms) {
      for (let n = 0; n < 100; n += 1) work();
      done += 100;
      elapsed = cpuNow() - started;
    }
    return done / (elapsed / 1000);
  };
  run(1000);
  return round(run(seconds * 1000));
}

function counting(): IdSource {
  let n = 0;
  return (prefix) => `${prefix}_${(n += 1)}`;
}

const stamps = { metadata: {}, externalId: null, active: true, createdAt: START };

const priceOf = (id: string, cost: Partial<Price>): Price => ({
  ...stamps,
  id,
  productId: 'prod_bench',
  currency: 'eur',
  unitAmountDecimal: null,
  billingScheme: 'per_unit',
  tiersMode: null,
  tiers: null,
  transformQuantity: null,
  currencyOptions: {},
  madeFor: null,
  recurring: { interval: 'month', intervalCount: 1, usageType: 'licensed', meterId: null },
  taxBehavior: 'exclusive',
  nickname: null,
  lookupKey: null,
  ...cost,
});

/** A subscription in its first period, paid. */
function subscribed(): BillingSnapshot {
  const prices = [
    priceOf('price_seat', { unitAmountDecimal: '1999' }),
    priceOf('price_tiers', {
      billingScheme: 'tiered',
      tiersMode: 'graduated',
      tiers: [
        { upTo: '5', unitAmountDecimal: '1000', flatAmountDecimal: null },
        { upTo: '20', unitAmountDecimal: '800', flatAmountDecimal: '500' },
        { upTo: null, unitAmountDecimal: '500.5', flatAmountDecimal: null },
      ],
    }),
    priceOf('price_tens', { unitAmountDecimal: '2500', transformQuantity: { divideBy: 10, round: 'up' } }),
  ];
  const given: BillingSnapshot = {
    account: {
      ...{
        id: 'acct_bench',
        name: 'Seller',
        livemode: false,
        billingTimezone: 'UTC',
        prorationBasis: 'second',
        defaultTaxRateIds: ['txr_vat'],
      },
      ...{
        taxCalculator: 'manual',
        invoiceGraceSeconds: 0,
        invoiceNumberPrefix: 'PER',
        seller: { name: null, email: null, address: null },
      },
      dunningPolicy: { retryDelays: [259_200], hardDeclines: [], terminalAction: 'cancel' },
    },
    customer: {
      ...{ id: 'cus_bench', name: 'Ada', email: null, phone: null, description: null, address: null, currency: null, balance: 0 },
      ...{ defaultPaymentMethodId: null, defaultTaxRateIds: [], taxExempt: 'none', billingTimezone: null, deleted: false, discount: null },
      ...{ externalId: null, metadata: {}, createdAt: START },
    },
    subscription: null,
    prices: Object.fromEntries(prices.map((price) => [price.id, price])),
    products: {
      prod_bench: {
        ...stamps,
        id: 'prod_bench',
        name: 'Seat',
        description: null,
        defaultPriceId: null,
        unitLabel: 'seat',
        updatedAt: START,
      },
    },
    taxRates: {
      txr_vat: {
        ...{
          id: 'txr_vat',
          displayName: 'VAT',
          description: null,
          percentage: '19',
          inclusive: false,
          active: true,
          country: null,
          state: null,
        },
        ...{ jurisdiction: null, taxType: 'vat', metadata: {}, createdAt: START },
      },
    },
    ...{ coupons: {}, promotionCodes: {}, hasPaidBefore: false, trialedProductIds: [], billed: [], pendingItems: [], customerItems: [] },
    ...{ item: null, openInvoices: [], invoice: null, attempts: [], schedule: null, paymentMethods: [] },
  };
  const newId = counting();
  const created: Decision = decideCreation(
    given,
    {
      subscriptionId: 'sub_bench',
      customerId: 'cus_bench',
      currency: null,
      items: prices.map(({ id }, index) => ({ id: `si_${index}`, priceId: id, quantity: String(7 + 10 * index), taxRateIds: [] })),
      paymentBehavior: 'allow_incomplete',
      billingTimezone: null,
      defaultPaymentMethodId: null,
      defaultTaxRateIds: [],
      cancelAtPeriodEnd: false,
      cancelAt: null,
    },
    { asOf: START, newId },
  );
  const after = applyDecision(given, created);
  if (!after.subscription) throw new Error('nothing was created');
  return { ...after, openInvoices: [], subscription: { ...after.subscription, status: 'active', incompleteExpiresAt: null } };
}
