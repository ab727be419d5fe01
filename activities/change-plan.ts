import type { ChangePlan } from '../domain/subscription/commands.ts';
import { redeemedBy } from '../domain/subscription/discount-subscription.ts';
import { decideCommandedChange } from '../domain/subscription/schedule-change.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Changes items, quantities, cycle or settings of a subscription and bills or credits the difference. @throws what `decideCommandedChange` refuses */
export const changePlan =
  (deps: Deps): Activities['changePlan'] =>
  (input) => {
    const { subscriptionId, ...command } = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'change-plan',
      parameters: { subscriptionId, ...command },
      query: { subscriptionId, ...mentionedBy(command), ...redeemedBy(command), lock: true },
      decide: (snapshot, context) => decideCommandedChange(snapshot, command, context),
      answer: billingOutcome,
    });
  };

/** Ids that the command brings in and the subscription does not hold yet. */
function mentionedBy(command: ChangePlan): { priceIds: string[]; taxRateIds: string[]; paymentMethodIds: string[] } {
  const mentioned = (command.items ?? []).flatMap((change) => (change.do === 'remove' ? [] : [change.do === 'add' ? change.item : change]));
  return {
    priceIds: mentioned.flatMap((item) => item.priceId ?? []),
    taxRateIds: [...(command.defaultTaxRateIds ?? []), ...mentioned.flatMap((item) => item.taxRateIds ?? [])],
    paymentMethodIds: command.defaultPaymentMethodId ? [command.defaultPaymentMethodId] : [],
  };
}
