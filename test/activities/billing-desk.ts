import { inject } from 'vitest';
import type { Deps } from '../../activities/deps.ts';
import type { InvoiceFacts, PaymentResult } from '../../activities/index.ts';
import { makeActivities } from '../../activities/make-activities.ts';
import { insertAccount } from '../../db/accounts.ts';
import { openDatabase, withAccount } from '../../db/client.ts';
import { insertCustomer } from '../../db/customers.ts';
import { listPaymentAttempts } from '../../db/payment-attempts.ts';
import { insertPaymentMethod } from '../../db/payment-methods.ts';
import { insertPrice } from '../../db/prices.ts';
import { insertProduct } from '../../db/products.ts';
import type { Account } from '../../domain/account.ts';
import type { PaymentAttempt } from '../../domain/payments/payment.ts';
import { paymentGatewayRegistry } from '../../gateways/payment/registry.ts';
import { migrateSandbox } from '../../gateways/payment/sandbox/migrate.ts';
import { openSandbox, type SandboxGateway } from '../../gateways/payment/sandbox/sandbox-gateway.ts';
import { taxCalculatorRegistry } from '../../gateways/tax/registry.ts';
import type { TaxCalculator } from '../../gateways/tax/tax-calculator.ts';
import { createTestDatabase } from '../support/database.ts';

export const ASOF = 1_800_000_000;
export const ACCOUNT = 'acct_desk';

/** Activities over a database and a sandbox of their own, without Temporal. */
export interface BillingDesk {
  deps: Deps;
  sandbox: SandboxGateway;
  /** An invoice of EUR 12.00 for a new customer with the payment method; open, or draft where an external engine taxes it. */
  openInvoice(paymentMethod: string | null, options?: { country?: string }): Promise<Billed>;
  attach(customerId: string, reference: string): Promise<string>;
  attemptsOf(invoiceId: string): Promise<PaymentAttempt[]>;
  /** The ledger's balance of an account over one invoice; debit positive. */
  booked(invoiceId: string, ledgerAccount: string): Promise<number>;
  close(): Promise<void>;
}

export interface Billed {
  invoice: InvoiceFacts;
  customerId: string;
  subscriptionId: string;
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const noAddress = { line1: null, line2: null, city: null, state: null, postalCode: null };

const account = (taxCalculator: string): Account => ({
  id: ACCOUNT,
  name: 'Desk',
  livemode: false,
  billingTimezone: 'UTC',
  prorationBasis: 'second',
  defaultTaxRateIds: [],
  taxCalculator,
  dunningPolicy: { retryDelays: [86_400], hardDeclines: ['lost_card'], terminalAction: 'cancel' },
  invoiceGraceSeconds: 0,
  invoiceNumberPrefix: 'DESK',
  seller: { name: 'Desk', email: null, address: { ...noAddress, country: 'DE' } },
});

export async function openBillingDesk(options: { taxCalculator?: TaxCalculator } = {}): Promise<BillingDesk> {
  const database = await createTestDatabase(inject('postgresUrl'));
  await migrateSandbox(database.url);
  const db = openDatabase({ url: database.url });
  const sandbox = openSandbox({ url: database.url });
  const deps: Deps = {
    db,
    log: quiet,
    gateways: paymentGatewayRegistry([sandbox]),
    taxCalculators: taxCalculatorRegistry(options.taxCalculator ? [options.taxCalculator] : []),
    reach: () => {},
  };
  await insertAccount(db, account(options.taxCalculator?.name ?? 'manual'));
  const within = <R>(work: Parameters<typeof withAccount<R>>[2]): Promise<R> => withAccount(db, ACCOUNT, work);
  await within(async (t) => {
    const stamps = { metadata: {}, externalId: null, createdAt: ASOF };
    await insertProduct(t, {
      ...stamps,
      id: 'prod_1',
      name: 'Seat',
      description: null,
      active: true,
      defaultPriceId: null,
      unitLabel: null,
      updatedAt: ASOF,
    });
    await insertPrice(t, {
      ...stamps,
      id: 'price_1',
      productId: 'prod_1',
      currency: 'eur',
      unitAmountDecimal: '1200',
      billingScheme: 'per_unit',
      tiersMode: null,
      tiers: null,
      transformQuantity: null,
      currencyOptions: {},
      madeFor: null,
      recurring: { interval: 'month', intervalCount: 1, usageType: 'licensed', meterId: null },
      taxBehavior: 'exclusive',
      active: true,
      nickname: null,
      lookupKey: null,
    });
  });

  let last = 0;
  const attach = async (customerId: string, reference: string): Promise<string> => {
    last += 1;
    const details = await sandbox.attachPaymentMethod({ reference });
    const id = `pm_${last}`;
    const { type, card } = details;
    await within((t) =>
      insertPaymentMethod(t, {
        id,
        customerId,
        type,
        gateway: 'sandbox',
        gatewayReference: details.reference,
        card,
        metadata: {},
        createdAt: ASOF,
      }),
    );
    return id;
  };

  const openInvoice: BillingDesk['openInvoice'] = async (paymentMethod, { country } = {}) => {
    last += 1;
    const [customerId, subscriptionId] = [`cus_${last}`, `sub_${last}`];
    await within((t) =>
      insertCustomer(t, {
        id: customerId,
        name: 'Ada',
        email: null,
        phone: null,
        description: null,
        address: country === undefined ? null : { ...noAddress, country },
        currency: null,
        balance: 0,
        defaultPaymentMethodId: null,
        defaultTaxRateIds: [],
        taxExempt: 'none',
        billingTimezone: null,
        externalId: null,
        metadata: {},
        deleted: false,
        createdAt: ASOF,
      }),
    );
    const defaultPaymentMethodId = paymentMethod === null ? null : await attach(customerId, paymentMethod);
    const { invoice } = await makeActivities(deps).createSubscription({
      accountId: ACCOUNT,
      operationId: `create:${subscriptionId}`,
      asOf: ASOF,
      actor: 'test',
      subscriptionId,
      customerId,
      currency: null,
      items: [{ id: `si_${last}`, priceId: 'price_1', quantity: '1', taxRateIds: [] }],
      paymentBehavior: 'allow_incomplete',
      billingTimezone: null,
      defaultPaymentMethodId,
      defaultTaxRateIds: [],
      cancelAtPeriodEnd: false,
      cancelAt: null,
    });
    if (!invoice) throw new Error('no invoice was made');
    return { invoice, customerId, subscriptionId };
  };

  return {
    deps,
    sandbox,
    openInvoice,
    attach,
    attemptsOf: (invoiceId) =>
      within(async (t) => {
        const { items } = await listPaymentAttempts(t, { invoiceId, limit: 100 });
        return items.sort((a, b) => a.number - b.number);
      }),
    booked: (invoiceId, ledgerAccount) =>
      within(async (t) => {
        const { rows } = await t.run<{ amount: number }>(
          `select coalesce(sum(e.amount), 0)::bigint as amount from journal_entries e
           join journal_transactions j on j.account_id = e.account_id and j.id = e.journal_transaction_id
           where j.invoice_id = $1 and e.ledger_account = $2`,
          [invoiceId, ledgerAccount],
        );
        return rows[0]?.amount ?? 0;
      }),
    close: async () => {
      await sandbox.close();
      await db.close();
      await database.drop();
    },
  };
}

/** The part of a payment's answer that a test is about. */
export const gist = ({ outcome, attemptNumber, declineCode, invoice, subscription }: PaymentResult) => ({
  outcome,
  attemptNumber,
  declineCode,
  invoice: invoice.status,
  subscription: subscription?.status,
});
