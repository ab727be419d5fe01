import { decideTrialReminder } from '../domain/subscription/remind-of-trial-end.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Tells that a trial will end, once. */
export const remindOfTrialEnd =
  (deps: Deps): Activities['remindOfTrialEnd'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'remind-of-trial-end',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: decideTrialReminder,
      answer: billingOutcome,
    });
  };
