import { withAccount } from '../db/client.ts';
import { editQuery } from '../db/edit-query.ts';
import { findInvoiceEdit } from '../db/invoice-edits.ts';
import { findOperation } from '../db/operations.ts';
import { Refusal } from '../domain/errors.ts';
import { type DraftEdit, decideEdit } from '../domain/invoicing/edit-draft.ts';
import type { Deps } from './deps.ts';
import { decidedFacts, invoiceAfter, newInvoice } from './facts.ts';
import type { Activities, InvoiceFacts } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

const VERB = 'edit-invoice';

/** Does to a draft what is written down under the edit's id. @throws what `decideEdit` refuses */
export const editInvoice =
  (deps: Deps): Activities['editInvoice'] =>
  async (input) => {
    const command = parametersOf(input);
    const { invoiceId, editId } = command;
    // A draft that was deleted is not there to be loaded for its first answer.
    const done = await withAccount(deps.db, input.accountId, (t) => findOperation(t, input.operationId));
    if (done?.kind === VERB) return done.result as InvoiceFacts;
    let edit: DraftEdit;
    return performOperation(deps, input, {
      verb: VERB,
      parameters: command,
      query: async (t) => {
        const found = await findInvoiceEdit(t, invoiceId, editId);
        if (found === null) throw new Refusal('resource_missing', `No such edit: '${editId}'`);
        edit = found;
        return { ...editQuery({ invoiceId }, edit), lock: true };
      },
      decide: (snapshot, context) => decideEdit(snapshot, edit, context),
      answer: (snapshot, decision, numbers) =>
        decidedFacts(snapshot, decision, newInvoice(snapshot, decision) ?? invoiceAfter(snapshot, decision), numbers),
    });
  };
