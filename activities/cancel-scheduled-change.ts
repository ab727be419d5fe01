import { decideUnscheduling } from '../domain/subscription/schedule-change.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Takes a change off the list of what is scheduled. @throws what `decideUnscheduling` refuses */
export const cancelScheduledChange =
  (deps: Deps): Activities['cancelScheduledChange'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'cancel-scheduled-change',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: (snapshot, context) => decideUnscheduling(snapshot, command, context),
      answer: billingOutcome,
    });
  };
