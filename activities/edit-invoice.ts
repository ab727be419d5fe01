import { editQuery } from '../db/edit-query.ts';
import { findInvoiceEdit } from '../db/invoice-edits.ts';
import { Refusal } from '../domain/errors.ts';
import { type DraftEdit, decideEdit } from '../domain/invoicing/edit-draft.ts';
import type { Deps } from './deps.ts';
import { invoiceAfter, invoiceFacts } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Does to a draft what is written down under the edit's id. @throws what `decideEdit` refuses */
export const editInvoice =
  (deps: Deps): Activities['editInvoice'] =>
  (input) => {
    const command = parametersOf(input);
    const { invoiceId, editId } = command;
    let edit: DraftEdit;
    return performOperation(deps, input, {
      verb: 'edit-invoice',
      parameters: command,
      query: async (t) => {
        const found = await findInvoiceEdit(t, invoiceId, editId);
        if (found === null) throw new Refusal('resource_missing', `No such edit: '${editId}'`);
        edit = found;
        return { ...editQuery({ invoiceId }, edit), lock: true };
      },
      decide: (snapshot, context) => decideEdit(snapshot, edit, context),
      answer: (snapshot, decision, numbers) => invoiceFacts(invoiceAfter(snapshot, decision), numbers),
    });
  };
