import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import { cycleOf } from '../catalog/find-price.ts';
import { distinctCycles, isSameCycle } from '../catalog/mix-cycles.ts';
import { currencyFor } from '../catalog/price-in.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { composeInvoice } from '../invoicing/compose-invoice.ts';
import { customerItems } from '../invoicing/customer-items.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  finishDecision,
} from '../invoicing/draft-decision.ts';
import { collectionTerms } from '../invoicing/due-date.ts';
import type { Settlement } from '../invoicing/settle.ts';
import { assertSameCurrency } from '../money.ts';
import { type Instant, isTimeZone, MAX_INSTANT } from '../time.ts';
import { itemPeriodEnd } from './anchor.ts';
import { planFirstPeriods, type Stretch } from './backdate.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import { billOnce } from './bill-once.ts';
import { checkItemQuantity, checkPaymentMethod, checkTaxRates, checkTogether, checkUsageGte, recurringPrice } from './check-items.ts';
import type { CreateSubscription, ItemPeriodEnd } from './commands.ts';
import { discountSubscription } from './discount-subscription.ts';
import { planTrialPeriod, remindWhereDue, trialFacts, trialLines, withoutUsedTrial } from './start-trial.ts';
import type { Subscription } from './subscription.ts';
import { nextStatus } from './transitions.ts';

/** How long the first invoice of an incomplete subscription, or that of a pending update, may wait for its payment (23 h, as Stripe). */
export const PAYMENT_PATIENCE = 23 * 3600;

/**
 * Creates a subscription and bills its first period. That begins at `asOf`, which is then its start and its billing anchor, unless another start or anchor is asked for
 * (see `planFirstPeriods`). Where there is nothing to pay, or the customer is sent an invoice and has time to pay it, the subscription is active at once; otherwise it is incomplete until the invoice is paid, and expires after 23 h.
 * Where it is to be canceled within its first period, only the time until then is billed. A trial is the first period where there is one (see `planTrialPeriod`): free, with
 * a line of nothing per item, and the subscription trialing once what else the first invoice asks for is paid.
 * @throws Refusal about the parameter at fault, in Stripe's notation
 */
export function decideCreation(snapshot: BillingSnapshot, asked: CreateSubscription, context: DecisionContext): Decision {
  const command = withoutUsedTrial(snapshot, asked);
  const { asOf } = context;
  const { customer } = snapshot;
  if (snapshot.subscription) throw new Refusal('operation_conflict', `The subscription ${command.subscriptionId} exists already.`);
  if (customer.deleted) throw new Refusal('customer_deleted', `The customer ${customer.id} is deleted.`, 'customer');
  const { currency, cycle, cycles } = checkCreation(snapshot, command);
  const zone = command.billingTimezone ?? zoneOf(snapshot);
  const onTrial = planTrialPeriod(command, cycle, zone, asOf);
  const { startDate, anchor, period, stretches } = onTrial ?? planFirstPeriods(command, cycles, zone, asOf);
  const given = typeof command.cancelAt === 'number' ? command.cancelAt : null;
  const cancelAt = command.cancelAtPeriodEnd ? period.end : given;
  if (cancelAt !== null) checkCancelAt(cancelAt, asOf);
  const terms = collectionTerms({ collectionMethod: 'charge_automatically', daysUntilDue: null }, command);
  const isSent = terms.collectionMethod === 'send_invoice';

  const made: Subscription = {
    id: command.subscriptionId,
    customerId: customer.id,
    status: isSent ? nextStatus('incomplete', onTrial === null ? 'first_invoice_sent' : 'trial_started') : 'incomplete',
    ...terms,
    currency,
    cycle,
    billingCycleAnchor: anchor,
    billingCycleAnchorConfig: command.billingCycleAnchorConfig ?? null,
    billingTimezone: zone,
    startDate,
    currentPeriodStart: period.start,
    currentPeriodEnd: period.end,
    billingThresholds: command.billingThresholds ?? null,
    items: command.items.map(({ discounts: _, ...item }) => ({ ...item, metadata: {}, createdAt: asOf })),
    ...trialFacts(onTrial === null ? null : period, zone),
    trialMissingPaymentMethod: command.trialMissingPaymentMethod ?? 'create_invoice',
    cancelAtPeriodEnd: command.cancelAtPeriodEnd,
    cancelAt,
    canceledAt: cancelAt === null ? null : asOf,
    endedAt: null,
    cancellationDetails: { comment: null, feedback: null, reason: cancelAt === null ? null : 'cancellation_requested' },
    incompleteExpiresAt: isSent ? null : asOf + PAYMENT_PATIENCE,
    defaultPaymentMethodId: command.defaultPaymentMethodId,
    defaultTaxRateIds: command.defaultTaxRateIds,
    discounts: [],
    latestInvoiceId: null,
    pendingUpdate: null,
    pause: null,
    pauseCollection: null,
    resumedAt: null,
    movedCycle: null,
    revision: 0,
    forfeited: [],
    scheduledChanges: [],
    scheduleId: null,
    description: null,
    externalId: null,
    metadata: {},
    createdAt: asOf,
  };
  const subscription = typeof command.cancelAt === 'string' ? endingWith(made, snapshot, command.cancelAt) : made;
  const draft = { ...beginDecision(snapshot, context), subscription };
  discountSubscription(draft, {
    ...(command.discounts === undefined ? {} : { discounts: command.discounts }),
    items: command.items.flatMap(({ id, discounts }, index) =>
      discounts === undefined ? [] : [{ itemId: id, discounts, param: `items[${index}][discounts]` }],
    ),
  });
  const settlement = settleStretches(draft, stretches);
  const lines = [...(onTrial === null ? [] : trialLines(draft, subscriptionOf(draft).items, period)), ...settlement.lines];
  const pending = billOnce(draft, command.addInvoiceItems ?? []);
  if (lines.length + pending.length === 0) {
    // A free stub: there is nothing to invoice, and so nothing to wait for.
    if (!isSent) changeSubscription(draft, { status: nextStatus('incomplete', 'first_invoice_paid'), incompleteExpiresAt: null });
    recordCoverage(draft, settlement, []);
    return finishDecision(draft, 'customer.subscription.created');
  }
  const { invoice, covered } = composeInvoice(draft, {
    billingReason: 'subscription_create',
    period: { start: startDate, end: asOf },
    lines,
    pending: [...customerItems(snapshot, currency), ...pending],
    autoAdvance: true,
  });
  if (
    command.paymentBehavior === 'error_if_incomplete' &&
    !isSent &&
    invoice.amountRemaining > 0 &&
    !snapshot.paymentMethods.some((method) => method.customerId === customer.id)
  ) {
    throw new Refusal(
      'no_payment_method',
      'This customer has no attached payment source or default payment method.',
      'default_payment_method',
    );
  }
  recordCoverage(draft, settlement, covered);
  if (isSent) remindWhereDue(draft);
  return finishDecision(draft, 'customer.subscription.created');
}

/** Ends when the first or last period of an item does. */
const endingWith = (subscription: Subscription, { prices }: BillingSnapshot, which: ItemPeriodEnd): Subscription => ({
  ...subscription,
  cancelAt: itemPeriodEnd(subscription, prices, which),
  canceledAt: subscription.createdAt,
  cancellationDetails: { ...subscription.cancellationDetails, reason: 'cancellation_requested' },
});

/** The items over each stretch of their cycle, oldest first, and in their own order where several begin together: a line per item and stretch. */
function settleStretches(draft: DecisionDraft, stretches: readonly Stretch[]): Settlement {
  const { items } = subscriptionOf(draft);
  const settled = stretches.map(({ itemCycle, from, cycle, free }) =>
    settleItems(draft, {
      due: dueItems(
        draft,
        items.filter((item) => isSameCycle(cycleOf(draft.snapshot.prices, item, itemCycle), itemCycle)),
        from,
        cycle,
      ),
      billed: [],
      at: from,
      unused: 'credit',
      charge: free ? 'carry' : 'bill',
    }),
  );
  const place = new Map(items.map(({ id }, index) => [id, index]));
  const placeOf = ({ line }: Settlement['lines'][number]): number => place.get(line.subscriptionItemId ?? '') ?? 0;
  return {
    lines: settled.flatMap(({ lines }) => lines).sort((a, b) => a.line.period.start - b.line.period.start || placeOf(a) - placeOf(b)),
    shrinks: [],
    carried: settled.flatMap(({ carried }) => carried),
  };
}

/** A date on which a subscription may end. @throws Refusal date_out_of_range */
export function checkCancelAt(cancelAt: Instant, asOf: Instant): void {
  if (cancelAt <= asOf || cancelAt > MAX_INSTANT)
    throw new Refusal('date_out_of_range', 'The date of cancellation must be in the future.', 'cancel_at');
}

function checkCreation(snapshot: BillingSnapshot, command: CreateSubscription) {
  const wishes = command.items.map((item, index) => ({ priceId: item.priceId, quantity: item.quantity, param: `items[${index}]` }));
  command.items.forEach((item, index) => {
    recurringPrice(snapshot, item.priceId, item.id, `items[${index}][price]`);
    checkItemQuantity(snapshot, item, `items[${index}][quantity]`);
    checkUsageGte(snapshot, item, `items[${index}][billing_thresholds]`);
    checkTaxRates(snapshot, item.taxRateIds, `items[${index}][tax_rates]`);
  });
  const first = snapshot.prices[wishes[0]?.priceId ?? ''];
  const currency = first === undefined ? '' : currencyFor(first, command.currency, snapshot.customer.currency);
  const cycle = checkTogether(snapshot, wishes, currency);
  if (snapshot.customer.currency !== null) assertSameCurrency(snapshot.customer.currency, currency, 'currency');
  checkTaxRates(snapshot, command.defaultTaxRateIds, 'default_tax_rates');
  checkPaymentMethod(snapshot, command.defaultPaymentMethodId);
  if (command.billingTimezone !== null && !isTimeZone(command.billingTimezone)) {
    throw new Refusal('parameter_invalid', `Unknown time zone: ${command.billingTimezone}`, 'billing_timezone');
  }
  if (command.cancelAtPeriodEnd && command.cancelAt !== null) {
    throw new Refusal('parameter_invalid', 'You may only specify one of cancel_at and cancel_at_period_end.', 'cancel_at');
  }
  const others = wishes.map((wish) => cycleOf(snapshot.prices, wish, cycle));
  return { currency, cycle, cycles: distinctCycles([cycle, ...others]) };
}
