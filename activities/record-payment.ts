import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import { type Decision, emptyDecision } from '../domain/decision.ts';
import type { DecisionContext } from '../domain/invoicing/draft-decision.ts';
import type { GatewayResult } from '../domain/payments/gateway-result.ts';
import type { PaymentAttempt, PaymentOutcomeKind } from '../domain/payments/payment.ts';
import { decideAttemptOutcome } from '../domain/payments/settle-attempt.ts';
import { decidedFacts, invoiceAfter, subscriptionFacts } from './facts.ts';
import type { PaymentResult } from './index.ts';

const OUTCOME: Record<PaymentAttempt['status'], PaymentOutcomeKind> = {
  created: 'unknown',
  unknown: 'unknown',
  processing: 'processing',
  requires_action: 'requires_action',
  succeeded: 'paid',
  declined: 'declined',
  canceled: 'declined',
};

/** Records what the gateway said of an attempt, unless that is known already or says less than what is known. */
export function decideNews(snapshot: BillingSnapshot, attemptId: string, result: GatewayResult, context: DecisionContext): Decision {
  const status = snapshot.attempts.find((attempt) => attempt.id === attemptId)?.status;
  if (status === result.kind) return emptyDecision();
  if (result.kind === 'unknown' && status !== 'created') return emptyDecision();
  return decideAttemptOutcome(snapshot, { attemptId, result }, context).decision;
}

/** How an attempt of the snapshot's invoice stands after the decision. @throws Error where there is no such attempt: a bug of the caller */
export function paymentResult(
  snapshot: BillingSnapshot,
  decision: Decision,
  numbers: Record<string, string>,
  attemptId: string,
): PaymentResult {
  const attempt = decision.attempt?.id === attemptId ? decision.attempt : snapshot.attempts.find((candidate) => candidate.id === attemptId);
  if (!attempt) throw new Error(`the invoice has no payment attempt ${attemptId}`);
  return {
    outcome: OUTCOME[attempt.status],
    attemptNumber: attempt.number,
    attemptId: attempt.id,
    declineCode: attempt.declineCode,
    ...surroundings(snapshot, decision, numbers),
  };
}

/** The answer where no attempt was made. */
export function noPayment(
  outcome: 'nothing_due' | 'no_payment_method',
  snapshot: BillingSnapshot,
  decision: Decision,
  numbers: Record<string, string>,
): PaymentResult {
  const attemptNumber = snapshot.attempts.at(-1)?.number ?? 0;
  return { outcome, attemptNumber, attemptId: null, declineCode: null, ...surroundings(snapshot, decision, numbers) };
}

function surroundings(
  snapshot: BillingSnapshot,
  decision: Decision,
  numbers: Record<string, string>,
): Pick<PaymentResult, 'invoice' | 'subscription'> {
  const subscription = decision.subscription ?? snapshot.subscription;
  return {
    invoice: decidedFacts(snapshot, decision, invoiceAfter(snapshot, decision), numbers),
    subscription: subscription && subscriptionFacts(subscription),
  };
}
