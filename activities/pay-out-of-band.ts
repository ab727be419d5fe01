import { decideOutOfBandPayment } from '../domain/payments/pay-out-of-band.ts';
import type { Deps } from './deps.ts';
import { invoiceClosure } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Records that an invoice was paid another way. @throws what `decideOutOfBandPayment` refuses */
export const payOutOfBand =
  (deps: Deps): Activities['payOutOfBand'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'pay-out-of-band',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => decideOutOfBandPayment(snapshot, context),
      answer: invoiceClosure,
    });
  };
