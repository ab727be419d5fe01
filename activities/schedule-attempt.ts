import { emptyDecision } from '../domain/decision.ts';
import type { Deps } from './deps.ts';
import { invoiceAfter } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Writes when an invoice will next be tried, for its customer and the operator to see; null clears it. An invoice that is no longer open keeps none. */
export const scheduleAttempt =
  (deps: Deps): Activities['scheduleAttempt'] =>
  async (input) => {
    const command = parametersOf(input);
    await performOperation(deps, input, {
      verb: 'schedule-attempt',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot) => {
        const invoice = invoiceAfter(snapshot, emptyDecision());
        const at = invoice.status === 'open' ? command.at : null;
        if (invoice.nextPaymentAttempt === at) return emptyDecision();
        return {
          ...emptyDecision(),
          invoices: [{ ...invoice, nextPaymentAttempt: at }],
          events: [
            {
              type: 'invoice.updated',
              objectType: 'invoice',
              objectId: invoice.id,
              previous: { nextPaymentAttempt: invoice.nextPaymentAttempt },
            },
          ],
        };
      },
      answer: () => null,
    });
  };
