import { decideCancellation } from '../domain/subscription/cancel.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Ends a subscription at `asOf`, with or without credit and a final invoice. @throws what `decideCancellation` refuses */
export const cancelSubscription =
  (deps: Deps): Activities['cancelSubscription'] =>
  (input) => {
    const { subscriptionId, ...command } = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'cancel-subscription',
      parameters: { subscriptionId, ...command },
      query: { subscriptionId, lock: true },
      decide: (snapshot, context) => decideCancellation(snapshot, command, context),
      answer: billingOutcome,
    });
  };
