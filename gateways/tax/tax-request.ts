import type { BillingSnapshot } from '../../domain/billing-snapshot.ts';
import type { Price } from '../../domain/catalog/price.ts';
import { netOf } from '../../domain/discounts/apply-discounts.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import type { Instant } from '../../domain/time.ts';
import type { TaxCalculationRequest } from './tax-calculator.ts';

/**
 * What an engine is asked about an invoice: its lines after discounts, for the customer as he is now, at the rates of `asOf`.
 * @param prices of its lines; a credit may be about a price that the subscription has left
 */
export const taxRequestOf = (
  { account, customer }: BillingSnapshot,
  { id, currency, lines }: Pick<Invoice, 'id' | 'currency' | 'lines'>,
  prices: readonly Price[],
  asOf: Instant,
): TaxCalculationRequest => ({
  invoiceId: id,
  currency,
  sellerAddress: account.seller.address,
  customerAddress: customer.address,
  taxExempt: customer.taxExempt,
  taxIds: [],
  lines: lines.map((line) => ({
    id: line.id,
    amount: netOf(line),
    taxBehavior: prices.find((price) => price.id === line.priceId)?.taxBehavior ?? 'unspecified',
    productId: line.productId,
    period: line.period,
  })),
  asOf,
});
