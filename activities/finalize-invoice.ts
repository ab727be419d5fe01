import { decideFinalization } from '../domain/invoicing/finalize-invoice.ts';
import type { Deps } from './deps.ts';
import { decidedFacts, invoiceAfter, othersAfter } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Gives a draft its number and parties, books it and applies the customer's balance; its taxes are those stored on the draft. @throws what `decideFinalization` refuses */
export const finalizeInvoice =
  (deps: Deps): Activities['finalizeInvoice'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'finalize-invoice',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => decideFinalization(snapshot, command, context),
      // Its taxes are asked for, and it is finalised then.
      isInterim: ({ code }) => code === 'transition_not_allowed',
      answer: (snapshot, decision, numbers) => {
        const invoice = invoiceAfter(snapshot, decision);
        const facts = decidedFacts(snapshot, decision, invoice, numbers);
        // Those of a consolidated invoice are named with it.
        return invoice.subscriptionIds ? facts : { ...facts, ...othersAfter(decision) };
      },
    });
  };
