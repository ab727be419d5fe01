import type { GatewayResult } from '../domain/payments/gateway-result.ts';
import type { PaymentAttempt } from '../domain/payments/payment.ts';
import type { Instant } from '../domain/time.ts';
import { type ChargeRequest, GatewayUnavailable, type PaymentGateway } from '../gateways/payment/payment-gateway.ts';
import type { Log } from './deps.ts';

/** Enough to send the same request again at any later time. Ids only; it is stored with the operation. */
export type ChargeableAttempt = Pick<
  PaymentAttempt,
  'id' | 'invoiceId' | 'customerId' | 'number' | 'gateway' | 'idempotencyKey' | 'amount' | 'currency' | 'createdAt'
> & {
  paymentMethodReference: string;
};

/** Seven calls of seven seconds at the most stay below the activity's start-to-close of a minute, with time left to record the outcome. */
const CALL_DEADLINE_MS = 7_000;
const ROUNDS = 3;

const UNKNOWN: GatewayResult = {
  kind: 'unknown',
  reference: null,
  declineCode: null,
  message: 'The payment gateway did not say what became of the charge.',
};
const NOT_RECEIVED: GatewayResult = {
  kind: 'declined',
  reference: null,
  declineCode: 'not_received',
  message: 'The payment gateway never received the charge.',
};

export interface Asking {
  gateway: PaymentGateway;
  accountId: string;
  asOf: Instant;
  log: Log;
  /** Milliseconds one call may take. */
  deadlineMs?: number;
}

/** What the gateway says of an attempt; null: it never arrived (or the gateway cannot look up). @throws GatewayUnavailable */
export const lookUp = (
  { gateway, asOf, deadlineMs }: Asking,
  attempt: Pick<PaymentAttempt, 'idempotencyKey'>,
): Promise<GatewayResult | null> =>
  gateway.lookUp(attempt.idempotencyKey, asOf, { signal: AbortSignal.timeout(deadlineMs ?? CALL_DEADLINE_MS) });

/**
 * Sends an attempt's request until its outcome is known, always under the attempt's own key, so however often it is sent it captures once. After a call without an
 * answer, and where `sentBefore`, it asks first what became of the request. Once the gateway may have forgotten the key, or the money is not `wanted` any
 * more, nothing is sent: a request that never arrived is over, and one that nobody can tell stays unknown.
 */
export async function chargeAttempt(
  asking: Asking,
  attempt: ChargeableAttempt,
  how: { sentBefore: boolean; wanted: boolean },
): Promise<GatewayResult> {
  const { gateway, asOf, log } = asking;
  const { canLookUp, idempotencyWindowSeconds } = gateway.capabilities;
  const keyHolds = idempotencyWindowSeconds === null || asOf - attempt.createdAt < idempotencyWindowSeconds;
  let sent = how.sentBefore;
  for (let round = 1; round <= ROUNDS; round += 1) {
    try {
      if (sent && canLookUp) {
        const known = await lookUp(asking, attempt);
        if (known) return known;
      }
      if (!keyHolds || !how.wanted) return canLookUp ? NOT_RECEIVED : UNKNOWN;
      return await gateway.charge(chargeRequest(asking, attempt), { signal: AbortSignal.timeout(asking.deadlineMs ?? CALL_DEADLINE_MS) });
    } catch (error) {
      if (!(error instanceof GatewayUnavailable)) throw error;
      log.warn(
        { accountId: asking.accountId, attemptId: attempt.id, gateway: gateway.name, round, reason: error.reason },
        'the payment gateway gave no answer',
      );
      sent = true;
    }
  }
  return UNKNOWN;
}

const chargeRequest = ({ accountId, asOf }: Asking, attempt: ChargeableAttempt): ChargeRequest => ({
  idempotencyKey: attempt.idempotencyKey,
  amount: attempt.amount,
  currency: attempt.currency,
  paymentMethodReference: attempt.paymentMethodReference,
  metadata: { accountId, customerId: attempt.customerId, invoiceId: attempt.invoiceId, attemptId: attempt.id },
  at: asOf,
});

/** Takes an attempt back that waits for the customer. @throws GatewayUnavailable; Error where the adapter cannot, though its charges wait for customers */
export async function cancelAtGateway(
  { gateway, asOf, deadlineMs }: Asking,
  attempt: Pick<PaymentAttempt, 'idempotencyKey'>,
): Promise<GatewayResult | null> {
  if (!gateway.cancel) throw new Error(`the payment gateway ${gateway.name} cannot take back a charge that waits for the customer`);
  return gateway.cancel(attempt.idempotencyKey, asOf, { signal: AbortSignal.timeout(deadlineMs ?? CALL_DEADLINE_MS) });
}
