import type Stripe from 'stripe';
import type { PaymentAttempt, PaymentMethod } from '../../domain/payments/payment.ts';
import type { Dialect } from './dialect.ts';

type Card = Dialect<
  Stripe.PaymentMethod.Card,
  | 'brand'
  | 'checks'
  | 'country'
  | 'display_brand'
  | 'exp_month'
  | 'exp_year'
  | 'fingerprint'
  | 'funding'
  | 'generated_from'
  | 'last4'
  | 'networks'
  | 'three_d_secure_usage'
  | 'wallet'
>;
type BillingDetails = Dialect<Stripe.PaymentMethod.BillingDetails, 'address' | 'email' | 'name' | 'phone' | 'tax_id'>;
type PaymentMethodAnswer = Dialect<Stripe.PaymentMethod, 'id' | 'object' | 'created' | 'customer' | 'livemode' | 'metadata' | 'type'> & {
  billing_details: BillingDetails;
  card?: Card;
  gateway: string;
};

export function presentPaymentMethod(method: PaymentMethod, livemode: boolean): PaymentMethodAnswer {
  return {
    id: method.id,
    object: 'payment_method',
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    ...(method.card === null
      ? {}
      : {
          card: {
            brand: method.card.brand,
            checks: null,
            country: method.card.country,
            display_brand: method.card.brand,
            exp_month: method.card.expMonth,
            exp_year: method.card.expYear,
            fingerprint: method.card.fingerprint,
            funding: 'unknown',
            generated_from: null,
            last4: method.card.last4,
            networks: null,
            three_d_secure_usage: null,
            wallet: null,
          },
        }),
    created: method.createdAt,
    customer: method.customerId,
    livemode,
    metadata: method.metadata,
    type: method.type,
    gateway: method.gateway,
  };
}

/** One try to collect an invoice; ours, beside Stripe's objects. */
export const presentPaymentAttempt = (attempt: PaymentAttempt) => ({
  id: attempt.id,
  object: 'payment_attempt' as const,
  amount: attempt.amount,
  created: attempt.createdAt,
  currency: attempt.currency,
  decline_code: attempt.declineCode,
  decline_message: attempt.declineMessage,
  gateway: attempt.gateway,
  invoice: attempt.invoiceId,
  number: attempt.number,
  payment_method: attempt.paymentMethodId,
  resolved_at: attempt.resolvedAt,
  status: attempt.status,
});
