import { decideCollectionResumption } from '../domain/subscription/pause-collection.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Ends a pause of collection at `asOf`. @throws what `decideCollectionResumption` refuses */
export const resumeCollection =
  (deps: Deps): Activities['resumeCollection'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'resume-collection',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: (snapshot, context) => decideCollectionResumption(snapshot, context),
      answer: billingOutcome,
    });
  };
