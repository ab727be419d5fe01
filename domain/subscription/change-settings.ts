import { changeSubscription, type DecisionDraft } from '../invoicing/draft-decision.ts';
import { collectionTerms } from '../invoicing/due-date.ts';
import { subscriptionOf } from './bill-items.ts';
import { checkPaymentMethod, checkTaxRates } from './check-items.ts';
import type { ChangePlan } from './commands.ts';
import { collectionPause } from './pause-collection.ts';

/** What is not billed by itself. @throws Refusal resource_missing, payment_method_detached, parameter_invalid */
export function changeSettings(
  draft: DecisionDraft,
  { defaultPaymentMethodId, defaultTaxRateIds, trialMissingPaymentMethod, pauseCollection, billingThresholds, ...terms }: ChangePlan,
): void {
  if (defaultPaymentMethodId !== undefined) {
    checkPaymentMethod(draft.snapshot, defaultPaymentMethodId);
    changeSubscription(draft, { defaultPaymentMethodId });
  }
  if (defaultTaxRateIds !== undefined) {
    checkTaxRates(draft.snapshot, defaultTaxRateIds, 'default_tax_rates');
    changeSubscription(draft, { defaultTaxRateIds });
  }
  if (terms.collectionMethod !== undefined || terms.daysUntilDue !== undefined) {
    changeSubscription(draft, collectionTerms(subscriptionOf(draft), terms));
  }
  if (trialMissingPaymentMethod !== undefined) changeSubscription(draft, { trialMissingPaymentMethod });
  if (billingThresholds !== undefined) changeSubscription(draft, { billingThresholds });
  if (pauseCollection !== undefined) changeSubscription(draft, { pauseCollection: collectionPause(draft, pauseCollection) });
}
