import { decideScheduledApplication } from '../domain/subscription/apply-scheduled-change.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Carries out a scheduled change at `asOf`, its instant, or records why it has become impossible; never refuses for that. */
export const applyScheduledChange =
  (deps: Deps): Activities['applyScheduledChange'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'apply-scheduled-change',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      // As it was scheduled: a rebuild asks for the money in the same way.
      paymentBehavior: ({ subscription }) =>
        subscription?.scheduledChanges.find(({ id }) => id === command.changeId)?.change.paymentBehavior,
      decide: (snapshot, context) => decideScheduledApplication(snapshot, command, context),
      answer: billingOutcome,
    });
  };
