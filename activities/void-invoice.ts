import { decideVoid } from '../domain/invoicing/void-invoice.ts';
import type { Deps } from './deps.ts';
import { invoiceClosure } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Voids a draft or open invoice and reverses its books. @throws what `decideVoid` refuses */
export const voidInvoice =
  (deps: Deps): Activities['voidInvoice'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'void-invoice',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => decideVoid(snapshot, context),
      answer: invoiceClosure,
    });
  };
