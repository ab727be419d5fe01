import { decideTopUp } from '../domain/credits/top-up.ts';
import type { Deps } from './deps.ts';
import { decidedFacts, newInvoice } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Makes the invoice of a top-up that is due; where it is not any more, nothing is written. */
export const topUpCredits =
  (deps: Deps): Activities['topUpCredits'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'top-up-credits',
      parameters: command,
      query: { subscriptionId: command.subscriptionId, lock: true },
      decide: (snapshot, context) => decideTopUp(snapshot, command, context),
      isNothing: ({ invoices }) => invoices.length === 0,
      answer: (snapshot, decision, numbers) => {
        const invoice = newInvoice(snapshot, decision);
        return { invoice: invoice && decidedFacts(snapshot, decision, invoice, numbers) };
      },
    });
  };
