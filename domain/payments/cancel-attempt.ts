import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { beginDecision, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';

/**
 * Closes an attempt that waited for the customer and that the gateway has taken back, before another one is made: otherwise the customer could still confirm
 * the first one and pay twice. Its failure was counted when it began to wait, so nothing else changes. An attempt in any other state stays as it is.
 * @throws Refusal resource_missing where the attempt is not one of the invoice's
 */
export function decideAttemptCancellation(snapshot: BillingSnapshot, command: { attemptId: string }, context: DecisionContext): Decision {
  const attempt = snapshot.attempts.find((candidate) => candidate.id === command.attemptId);
  if (!attempt) throw new Refusal('resource_missing', `No such payment attempt: '${command.attemptId}'`);
  const draft = beginDecision(snapshot, context);
  if (attempt.status === 'requires_action') draft.decision.attempt = { ...attempt, status: 'canceled', resolvedAt: context.asOf };
  return finishDecision(draft);
}
