import { loadSnapshot } from '../db/billing-snapshot.ts';
import { withAccount } from '../db/client.ts';
import { findPaymentMethod } from '../db/payment-methods.ts';
import { emptyDecision } from '../domain/decision.ts';
import { Refusal } from '../domain/errors.ts';
import type { GatewayResult } from '../domain/payments/gateway-result.ts';
import type { PaymentAttempt } from '../domain/payments/payment.ts';
import { isUnresolved } from '../domain/payments/start-attempt.ts';
import { GatewayUnavailable } from '../gateways/payment/payment-gateway.ts';
import { paymentGateway } from '../gateways/payment/registry.ts';
import { type Asking, chargeAttempt, lookUp } from './ask-gateway.ts';
import { chargeable } from './collect-payment.ts';
import type { Deps } from './deps.ts';
import { invoiceAfter } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';
import { decideNews, noPayment, paymentResult } from './record-payment.ts';

/**
 * Finds out what became of an invoice's open attempt and records it. A request that never arrived is sent again under the attempt's own key while the money is wanted, which
 * completes the intent that was committed; it is never given a new key. Answers how the last attempt stands where none is open. A gateway that still gives no answer
 * leaves things as they are.
 * @throws Refusal resource_missing where there is no such invoice, or it is due and was never tried
 */
export const resolvePayment =
  (deps: Deps, options: { deadlineMs?: number } = {}): Activities['resolvePayment'] =>
  async (input) => {
    const command = parametersOf(input);
    const found = await withAccount(deps.db, input.accountId, async (t) => {
      const { invoice, attempts } = await loadSnapshot(t, { invoiceId: command.invoiceId, lock: false });
      const attempt = attempts.find(isUnresolved) ?? attempts.at(-1) ?? null;
      const method = attempt && (await findPaymentMethod(t, attempt.paymentMethodId));
      return {
        attempt,
        reference: method?.gatewayReference ?? null,
        wanted: invoice?.status === 'open' || invoice?.status === 'uncollectible',
      };
    });
    const { attempt } = found;
    const asking = (gateway: string): Asking => ({
      gateway: paymentGateway(deps.gateways, gateway),
      accountId: input.accountId,
      asOf: input.asOf,
      log: deps.log,
      ...options,
    });
    const news = attempt && (await newsOf(asking, attempt, found));

    return performOperation(deps, input, {
      verb: 'resolve-payment',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => (attempt && news ? decideNews(snapshot, attempt.id, news, context) : emptyDecision()),
      answer: (snapshot, decision, numbers) => {
        const result = attempt && paymentResult(snapshot, decision, numbers, attempt.id);
        const due = invoiceAfter(snapshot, decision).amountRemaining > 0;
        if (!result && due) throw new Refusal('resource_missing', 'There is no payment attempt of this invoice to look up.');
        // Settled by other means (a credit) since the attempt failed.
        if (!result || (!due && (result.outcome === 'declined' || result.outcome === 'requires_action'))) {
          return noPayment('nothing_due', snapshot, decision, numbers);
        }
        return result;
      },
    });
  };

async function newsOf(
  asking: (gateway: string) => Asking,
  attempt: PaymentAttempt,
  { reference, wanted }: { reference: string | null; wanted: boolean },
): Promise<GatewayResult | null> {
  if (isUnresolved(attempt) && attempt.status !== 'processing' && reference !== null) {
    return chargeAttempt(asking(attempt.gateway), chargeable(attempt, reference), { sentBefore: true, wanted });
  }
  if (!isUnresolved(attempt) && attempt.status !== 'requires_action') return null;
  try {
    return await lookUp(asking(attempt.gateway), attempt);
  } catch (error) {
    if (error instanceof GatewayUnavailable) return null;
    throw error;
  }
}
