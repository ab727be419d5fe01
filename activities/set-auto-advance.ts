import { decideAutoAdvance } from '../domain/invoicing/set-auto-advance.ts';
import type { Deps } from './deps.ts';
import { decidedFacts, invoiceAfter } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Lets a draft finalise itself when its time has come, or wait for somebody. @throws what `decideAutoAdvance` refuses */
export const setAutoAdvance =
  (deps: Deps): Activities['setAutoAdvance'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'set-auto-advance',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => decideAutoAdvance(snapshot, command, context),
      answer: (snapshot, decision, numbers) => decidedFacts(snapshot, decision, invoiceAfter(snapshot, decision), numbers),
    });
  };
