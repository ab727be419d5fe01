import { decideScheduledPause } from '../domain/subscription/pause.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Begins a pause that was scheduled for `asOf`. @throws what `decideScheduledPause` refuses */
export const beginPause =
  (deps: Deps): Activities['beginPause'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'begin-pause',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: (snapshot, context) => decideScheduledPause(snapshot, context),
      answer: billingOutcome,
    });
  };
