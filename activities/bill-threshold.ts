import { decideThreshold } from '../domain/subscription/bill-threshold.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Bills what is used by `asOf` where a threshold is reached; where none is, nothing is written. @throws what `decideThreshold` refuses */
export const billThreshold =
  (deps: Deps): Activities['billThreshold'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'bill-threshold',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: (snapshot, context) => decideThreshold(snapshot, context),
      isNothing: ({ invoices }) => invoices.length === 0,
      answer: billingOutcome,
    });
  };
