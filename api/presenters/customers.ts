import type Stripe from 'stripe';
import type { BalanceTransaction, Customer } from '../../domain/customer.ts';
import type { Address } from '../../domain/invoicing/invoice.ts';
import type { Dialect } from './dialect.ts';
import { presentDiscount } from './discounts.ts';

type CustomerAnswer = Dialect<
  Stripe.Customer,
  | 'id'
  | 'object'
  | 'address'
  | 'balance'
  | 'created'
  | 'currency'
  | 'default_source'
  | 'delinquent'
  | 'description'
  | 'email'
  | 'invoice_settings'
  | 'livemode'
  | 'metadata'
  | 'name'
  | 'phone'
  | 'preferred_locales'
  | 'shipping'
  | 'tax_exempt'
  | 'test_clock'
> & {
  discount: ReturnType<typeof presentDiscount> | null;
  default_tax_rates: string[];
  billing_timezone: string | null;
  consolidated_invoicing: boolean;
  external_id: string | null;
};

type DeletedCustomerAnswer = Dialect<Stripe.DeletedCustomer, 'id' | 'object' | 'deleted'>;

export const presentAddress = (address: Address | null) =>
  address === null
    ? null
    : {
        city: address.city,
        country: address.country,
        line1: address.line1,
        line2: address.line2,
        postal_code: address.postalCode,
        state: address.state,
      };

export const presentDeletedCustomer = (id: string): DeletedCustomerAnswer => ({ id, object: 'customer', deleted: true });

/** @param delinquent whether a subscription of the customer is past due or unpaid. */
export function presentCustomer(customer: Customer, livemode: boolean, delinquent: boolean): CustomerAnswer | DeletedCustomerAnswer {
  if (customer.deleted) return presentDeletedCustomer(customer.id);
  return {
    id: customer.id,
    object: 'customer',
    address: presentAddress(customer.address),
    balance: customer.balance,
    created: customer.createdAt,
    currency: customer.currency,
    default_source: null,
    delinquent,
    description: customer.description,
    discount: customer.discount ? presentDiscount(customer.discount) : null,
    email: customer.email,
    invoice_settings: {
      custom_fields: null,
      default_payment_method: customer.defaultPaymentMethodId,
      footer: null,
      rendering_options: null,
    },
    livemode,
    metadata: customer.metadata,
    name: customer.name,
    phone: customer.phone,
    preferred_locales: [],
    shipping: null,
    tax_exempt: customer.taxExempt,
    test_clock: customer.testClockId ?? null,
    default_tax_rates: customer.defaultTaxRateIds,
    billing_timezone: customer.billingTimezone,
    consolidated_invoicing: customer.consolidatedInvoicing ?? false,
    external_id: customer.externalId,
  };
}

type BalanceTransactionAnswer = Dialect<
  Stripe.CustomerBalanceTransaction,
  | 'id'
  | 'object'
  | 'amount'
  | 'created'
  | 'credit_note'
  | 'currency'
  | 'customer'
  | 'description'
  | 'ending_balance'
  | 'invoice'
  | 'livemode'
  | 'metadata'
> & { type: BalanceTransaction['type'] };

export function presentBalanceTransaction(transaction: BalanceTransaction, livemode: boolean): BalanceTransactionAnswer {
  return {
    id: transaction.id,
    object: 'customer_balance_transaction',
    amount: transaction.amount,
    created: transaction.createdAt,
    credit_note: null,
    currency: transaction.currency,
    customer: transaction.customerId,
    description: null,
    ending_balance: transaction.endingBalance,
    invoice: transaction.invoiceId,
    livemode,
    metadata: {},
    type: transaction.type,
  };
}
