import type { Price, Product } from '../domain/catalog/price.ts';
import type { CreditGrant, CreditTransaction } from '../domain/credits/grant.ts';
import type { Customer } from '../domain/customer.ts';
import type { Coupon, PromotionCode } from '../domain/discounts/coupon.ts';
import type { Discount } from '../domain/discounts/discount.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { PaymentMethod } from '../domain/payments/payment.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { TaxRate } from '../domain/tax/tax-rate.ts';
import type { Meter } from '../domain/usage/meter.ts';
import type { AccountTransaction } from './client.ts';
import { COUPONS } from './coupons.ts';
import { CREDIT_GRANTS, CREDIT_TRANSACTIONS } from './credits.ts';
import { CUSTOMERS } from './customers.ts';
import { DISCOUNTS } from './discounts.ts';
import { INVOICE_JSON, invoiceFromRow } from './invoices.ts';
import { METERS } from './meters.ts';
import { PAYMENT_METHODS } from './payment-methods.ts';
import { PRICES } from './prices.ts';
import { PRODUCTS } from './products.ts';
import { PROMOTION_CODES } from './promotion-codes.ts';
import { SUBSCRIPTION_JSON, subscriptionFromRow } from './subscriptions.ts';
import { fromRow, type Row, type TableShape } from './table.ts';
import { TAX_RATES } from './tax-rates.ts';

/** Rows by id in one query, each once, in no order; ids without a row are left out. */
async function rowsOf(t: AccountTransaction, table: string, ids: readonly string[], select = 'to_jsonb(kept)'): Promise<Row[]> {
  if (ids.length === 0) return [];
  const { rows } = await t.trx.raw(`select ${select} as row from ${table} kept where account_id = ? and id = any(?)`, [
    t.accountId,
    [...new Set(ids)],
  ]);
  return (rows as { row: Row }[]).map(({ row }) => row);
}

const reading =
  <T>(shape: TableShape<T>) =>
  async (t: AccountTransaction, ids: readonly string[]): Promise<T[]> =>
    (await rowsOf(t, shape.table, ids)).map((row) => fromRow(shape, row));

export const readCustomers: (t: AccountTransaction, ids: readonly string[]) => Promise<Customer[]> = reading(CUSTOMERS);
export const readProducts: (t: AccountTransaction, ids: readonly string[]) => Promise<Product[]> = reading(PRODUCTS);
export const readPrices: (t: AccountTransaction, ids: readonly string[]) => Promise<Price[]> = reading(PRICES);
export const readTaxRates: (t: AccountTransaction, ids: readonly string[]) => Promise<TaxRate[]> = reading(TAX_RATES);
export const readCreditGrants: (t: AccountTransaction, ids: readonly string[]) => Promise<CreditGrant[]> = reading(CREDIT_GRANTS);
export const readCreditTransactions: (t: AccountTransaction, ids: readonly string[]) => Promise<CreditTransaction[]> =
  reading(CREDIT_TRANSACTIONS);
export const readMeters: (t: AccountTransaction, ids: readonly string[]) => Promise<Meter[]> = reading(METERS);
export const readCoupons: (t: AccountTransaction, ids: readonly string[]) => Promise<Coupon[]> = reading(COUPONS);
export const readPromotionCodes: (t: AccountTransaction, ids: readonly string[]) => Promise<PromotionCode[]> = reading(PROMOTION_CODES);
export const readDiscounts: (t: AccountTransaction, ids: readonly string[]) => Promise<Discount[]> = reading(DISCOUNTS);
export const readPaymentMethods: (t: AccountTransaction, ids: readonly string[]) => Promise<PaymentMethod[]> = reading(PAYMENT_METHODS);

export const readSubscriptions = async (t: AccountTransaction, ids: readonly string[]): Promise<Subscription[]> =>
  (await rowsOf(t, 'subscriptions', ids, SUBSCRIPTION_JSON)).map(subscriptionFromRow);

export const readInvoices = async (t: AccountTransaction, ids: readonly string[]): Promise<Invoice[]> =>
  (await rowsOf(t, 'invoices', ids, INVOICE_JSON)).map(invoiceFromRow);

/** Which of the customers have a subscription that is past due or unpaid. */
export async function delinquentAmong(t: AccountTransaction, customerIds: readonly string[]): Promise<Set<string>> {
  if (customerIds.length === 0) return new Set();
  const { rows } = await t.trx.raw(
    `select distinct customer_id from subscriptions where account_id = ? and customer_id = any(?) and status in ('past_due', 'unpaid')`,
    [t.accountId, [...customerIds]],
  );
  return new Set((rows as { customer_id: string }[]).map((row) => row.customer_id));
}
