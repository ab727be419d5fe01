import { decideOverdue } from '../domain/invoicing/mark-overdue.ts';
import type { Deps } from './deps.ts';
import { invoiceClosure } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Tells that the due date of a sent invoice has come, and makes its subscription past due. @throws what `decideOverdue` refuses */
export const markOverdue =
  (deps: Deps): Activities['markOverdue'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'mark-overdue',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => decideOverdue(snapshot, context),
      answer: invoiceClosure,
    });
  };
