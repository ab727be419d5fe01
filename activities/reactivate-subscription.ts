import { decideReactivation } from '../domain/subscription/reactivate.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Brings a canceled subscription back and bills what is not covered of its period. @throws what `decideReactivation` refuses */
export const reactivateSubscription =
  (deps: Deps): Activities['reactivateSubscription'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'reactivate-subscription',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: (snapshot, context) => decideReactivation(snapshot, context),
      answer: billingOutcome,
    });
  };
