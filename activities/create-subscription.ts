import { findQuote } from '../db/quotes.ts';
import { withAcceptance } from '../domain/quote/accept-quote.ts';
import type { Quote } from '../domain/quote/quote.ts';
import { decideCreation } from '../domain/subscription/create-subscription.ts';
import { redeemedBy } from '../domain/subscription/discount-subscription.ts';
import type { Deps } from './deps.ts';
import { billingOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Creates a subscription and bills its first period from `asOf`. @throws what `decideCreation` refuses */
export const createSubscription =
  (deps: Deps): Activities['createSubscription'] =>
  (input) => {
    const command = parametersOf(input);
    let quote: Quote | null = null;
    return performOperation(deps, input, {
      verb: 'create-subscription',
      parameters: command,
      query: async (t) => {
        quote = command.quoteId === undefined ? null : await findQuote(t, command.quoteId, { lock: true });
        return {
          customerId: command.customerId,
          priceIds: [...command.items, ...(command.addInvoiceItems ?? [])].map((item) => item.priceId),
          taxRateIds: [
            ...command.defaultTaxRateIds,
            ...[...command.items, ...(command.addInvoiceItems ?? [])].flatMap((item) => item.taxRateIds),
          ],
          ...redeemedBy(command),
          trialHistory: command.trialReuse !== undefined,
          paymentMethodIds: command.defaultPaymentMethodId === null ? [] : [command.defaultPaymentMethodId],
          lock: true,
        };
      },
      decide: (snapshot, context) => {
        const decision = decideCreation(snapshot, command, context);
        return quote === null ? decision : withAcceptance(snapshot, quote, decision, context.asOf);
      },
      answer: billingOutcome,
    });
  };
