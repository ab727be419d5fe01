import { decideScheduledResumption } from '../domain/subscription/resume.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Resumes a subscription whose pause ends at `asOf`. @throws what `decideScheduledResumption` refuses */
export const endPause =
  (deps: Deps): Activities['endPause'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'end-pause',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: (snapshot, context) => decideScheduledResumption(snapshot, context),
      answer: billingOutcome,
    });
  };
