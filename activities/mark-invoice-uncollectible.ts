import { decideUncollectible } from '../domain/invoicing/mark-uncollectible.ts';
import type { Deps } from './deps.ts';
import { invoiceClosure } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Writes an open invoice off as bad debt. @throws what `decideUncollectible` refuses */
export const markInvoiceUncollectible =
  (deps: Deps): Activities['markInvoiceUncollectible'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'mark-invoice-uncollectible',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => decideUncollectible(snapshot, context),
      answer: invoiceClosure,
    });
  };
