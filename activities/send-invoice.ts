import { decideSending } from '../domain/invoicing/send-invoice.ts';
import type { Deps } from './deps.ts';
import { decidedFacts, invoiceAfter } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Tells that an invoice was sent. @throws what `decideSending` refuses */
export const sendInvoice =
  (deps: Deps): Activities['sendInvoice'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'send-invoice',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => decideSending(snapshot, context),
      answer: (snapshot, decision, numbers) => decidedFacts(snapshot, decision, invoiceAfter(snapshot, decision), numbers),
    });
  };
