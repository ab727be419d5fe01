import { findSubscription } from '../db/subscriptions.ts';
import { decidePendingUpdate } from '../domain/subscription/resolve-pending-update.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Applies a pending update whose invoice is paid, or drops it and voids its invoice. @throws what `decidePendingUpdate` refuses */
export const resolvePendingUpdate =
  (deps: Deps): Activities['resolvePendingUpdate'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'resolve-pending-update',
      parameters: command,
      query: async (t) => {
        const invoiceId = (await findSubscription(t, command.subscriptionId))?.pendingUpdate?.invoiceId;
        return { subscriptionId: command.subscriptionId, ...(invoiceId === undefined ? {} : { invoiceId }), lock: true };
      },
      decide: (snapshot, context) => decidePendingUpdate(snapshot, { apply: command.apply }, context),
      answer: billingOutcome,
    });
  };
