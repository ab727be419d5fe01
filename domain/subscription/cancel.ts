import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { beginDecision, changeSubscription, type DecisionContext, finishDecision, removePending } from '../invoicing/draft-decision.ts';
import { voidInvoice } from '../invoicing/void-invoice.ts';
import { recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import type { CancelSubscription } from './commands.ts';
import { endSubscription, stillPending } from './end-subscription.ts';
import type { CancellationDetails } from './subscription.ts';
import { commandAllowed, nextStatus } from './transitions.ts';

/**
 * Ends the subscription at `asOf`. `prorate` credits the unused part of what was billed. A final invoice of that credit and all pending items is made with `invoiceNow`, and also
 * with `prorate` alone: Stripe would leave the credit pending for another invoice of the customer, which may never come. Usage that is not billed yet is billed with `invoiceNow`
 * only, as at Stripe. With neither, pending items are taken away and nothing is given back. An incomplete subscription is canceled by voiding its first invoice.
 * @throws Refusal subscription_canceled
 */
export function decideCancellation(snapshot: BillingSnapshot, command: CancelSubscription, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const subscription = subscriptionOf(draft);
  const refused = commandAllowed(subscription.status, 'cancel');
  if (refused) throw new Refusal(refused, `The subscription ${subscription.id} has ended already.`);
  const details: CancellationDetails = { ...subscription.cancellationDetails, ...command.details, reason: 'cancellation_requested' };
  changeSubscription(draft, { cancelAtPeriodEnd: false, cancelAt: null, canceledAt: context.asOf });
  if (subscription.status === 'incomplete') {
    abandon(draft);
    changeSubscription(draft, {
      status: nextStatus('incomplete', 'canceled'),
      endedAt: context.asOf,
      incompleteExpiresAt: null,
      cancellationDetails: details,
    });
  } else {
    endSubscription(draft, {
      at: context.asOf,
      event: 'canceled',
      unused: command.prorate ? 'credit' : 'forfeit',
      finalInvoice: command.invoiceNow || command.prorate,
      usage: command.invoiceNow ? 'bill' : 'forfeit',
      billingReason: 'subscription_update',
      details,
    });
  }
  return finishDecision(draft, 'customer.subscription.deleted');
}

/** Gives up a subscription that was never paid for: nothing of it is owed, and nothing was bought. */
export function abandon(draft: ReturnType<typeof beginDecision>): void {
  for (const invoice of draft.openInvoices) voidInvoice(draft, invoice);
  removePending(draft, stillPending(draft));
  recordCoverage(
    draft,
    settleItems(draft, { due: [], billed: draft.snapshot.billed, at: subscriptionOf(draft).startDate, unused: 'forfeit', charge: 'bill' }),
    [],
  );
}
