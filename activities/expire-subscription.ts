import { decideExpiry } from '../domain/subscription/expire.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Ends a subscription whose first invoice was not paid in time, and voids that invoice. @throws what `decideExpiry` refuses */
export const expireSubscription =
  (deps: Deps): Activities['expireSubscription'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'expire-subscription',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: (snapshot, context) => decideExpiry(snapshot, context),
      answer: billingOutcome,
    });
  };
