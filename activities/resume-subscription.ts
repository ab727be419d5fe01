import { decideResumption } from '../domain/subscription/resume.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Resumes a paused subscription, or takes back a pause that has not begun. @throws what `decideResumption` refuses */
export const resumeSubscription =
  (deps: Deps): Activities['resumeSubscription'] =>
  (input) => {
    const { subscriptionId, ...command } = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'resume-subscription',
      parameters: { subscriptionId, ...command },
      query: { subscriptionId, lock: true },
      decide: (snapshot, context) => decideResumption(snapshot, command, context),
      answer: billingOutcome,
    });
  };
