import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import type { ScheduleCreation } from '../schedule/schedule.ts';
import { madeBy } from '../subscription/foresee.ts';
import type { Instant } from '../time.ts';
import { subscriptionOffered } from './price-quote.ts';
import { isExpired, type Quote } from './quote.ts';
import { nextQuoteStatus } from './transitions.ts';

/** The decision that creates the quote's subscription or schedule, and with it that the quote is accepted. @throws Refusal transition_not_allowed */
export function withAcceptance(snapshot: BillingSnapshot, quote: Quote, decision: Decision, asOf: Instant): Decision {
  if (isExpired(quote, asOf)) throw new Refusal('transition_not_allowed', `The quote ${quote.id} has expired.`);
  const status = nextQuoteStatus(quote.id, quote.status, 'accepted');
  const { subscription } = decision;
  const by = subscription === null ? 'schedule' : 'subscription';
  const described = subscription && {
    ...subscription,
    description: quote.subscriptionDescription,
    metadata: { ...subscription.metadata, ...quote.subscriptionMetadata },
  };
  const accepted = { invoiceId: madeBy(decision, snapshot)?.id ?? null, by } as const;
  return {
    ...decision,
    subscription: described,
    quote: { ...quote, status, accepted, acceptedAt: asOf },
    events: [...decision.events, { type: 'quote.accepted', objectType: 'quote', objectId: quote.id, previous: null }],
  };
}

/** The schedule that a quote with a date to come offers: one period of its prices, and the subscription then goes on. @throws Refusal about what a schedule cannot offer */
export function scheduleOffered(quote: Quote, snapshot: Pick<BillingSnapshot, 'prices'>): ScheduleCreation {
  checkSchedulable(quote);
  const { items, addInvoiceItems, discounts, collectionMethod, daysUntilDue } = subscriptionOffered(quote, snapshot);
  return {
    do: 'create',
    scheduleId: quote.scheduleId,
    subscriptionId: quote.subscriptionId,
    customerId: quote.customerId,
    start: quote.effectiveDate ?? 'now',
    phases: [
      {
        items: items.map(({ id: _, ...item }) => item),
        currency: quote.currency,
        ...(discounts === undefined ? {} : { discounts }),
        ...(addInvoiceItems === undefined ? {} : { addInvoiceItems }),
        ...(collectionMethod === undefined ? {} : { collectionMethod }),
        ...(daysUntilDue === undefined ? {} : { daysUntilDue }),
        ...(quote.defaultTaxRateIds.length === 0 ? {} : { defaultTaxRateIds: quote.defaultTaxRateIds }),
        metadata: quote.subscriptionMetadata,
      },
    ],
    endBehavior: 'release',
    settings: { billingCycleAnchor: 'automatic', defaultPaymentMethodId: null },
    metadata: {},
    quoteId: quote.id,
  };
}

/** What begins at a date to come begins as a schedule, whose phases are not described and have trials of their own. @throws Refusal about `subscription_data[effective_date]` */
export function checkSchedulable({ trialPeriodDays, subscriptionDescription }: Omit<Quote, 'amounts' | 'currency'>): void {
  const clash =
    (trialPeriodDays !== null && 'trial_period_days') || (subscriptionDescription !== null && 'a description of the subscription');
  if (!clash) return;
  throw new Refusal(
    'parameter_invalid',
    `An effective_date to come cannot be combined with ${clash}.`,
    'subscription_data[effective_date]',
  );
}
