import { decidePause } from '../domain/subscription/pause.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Pauses a subscription, now or later, or moves the end of its pause. @throws what `decidePause` refuses */
export const pauseSubscription =
  (deps: Deps): Activities['pauseSubscription'] =>
  (input) => {
    const { subscriptionId, ...command } = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'pause-subscription',
      parameters: { subscriptionId, ...command },
      query: { subscriptionId, lock: true },
      decide: (snapshot, context) => decidePause(snapshot, command, context),
      answer: billingOutcome,
    });
  };
