import { decideRenewal } from '../domain/subscription/renew.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Bills the period that starts at `asOf`, the boundary; ends the subscription instead where it cancels there. @throws what `decideRenewal` refuses */
export const issueInvoice =
  (deps: Deps): Activities['issueInvoice'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'issue-invoice',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, sharing: true, lock: true },
      decide: (snapshot, context) => decideRenewal(snapshot, context),
      answer: billingOutcome,
    });
  };
