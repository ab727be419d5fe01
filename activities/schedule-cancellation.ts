import { decideScheduledCancellation } from '../domain/subscription/schedule-cancellation.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Sets, moves or undoes the date at which a subscription ends. @throws what `decideScheduledCancellation` refuses */
export const scheduleCancellation =
  (deps: Deps): Activities['scheduleCancellation'] =>
  (input) => {
    const { subscriptionId, ...command } = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'schedule-cancellation',
      parameters: { subscriptionId, ...command },
      query: { subscriptionId, lock: true },
      decide: (snapshot, context) => decideScheduledCancellation(snapshot, command, context),
      answer: billingOutcome,
    });
  };
