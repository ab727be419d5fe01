import { decideDunningEnd } from '../domain/dunning/end-dunning.ts';
import type { Deps } from './deps.ts';
import { invoiceClosure } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Applies the account's terminal action to the subscription, or the subscriptions, of an invoice that dunning gave up on. @throws what `decideDunningEnd` refuses */
export const endDunning =
  (deps: Deps): Activities['endDunning'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'end-dunning',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => decideDunningEnd(snapshot, context),
      answer: invoiceClosure,
    });
  };
