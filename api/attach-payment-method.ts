import type { AccountTransaction } from '../db/client.ts';
import { findPaymentMethod, insertPaymentMethod, updatePaymentMethod } from '../db/payment-methods.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import type { PaymentMethod } from '../domain/payments/payment.ts';
import { GatewayUnavailable, type PaymentGateway, type PaymentMethodDetails } from '../gateways/payment/payment-gateway.ts';
import type { RequestContext } from './context.ts';
import { ApiError, badRequest } from './errors.ts';
import { tell } from './tell-event.ts';

const GATEWAY_DEADLINE_MS = 5_000;

/** Where new payment methods go: the first gateway that was wired. */
function gatewayFor(context: RequestContext): PaymentGateway {
  const gateway = Object.values(context.gateways)[0];
  if (gateway === undefined) throw new Error('no payment gateway is wired');
  return gateway;
}

/**
 * Asks the gateway what a reference (`pm_card_visa`, `tok_visa`) is. Runs outside any transaction, because a gateway may take its time.
 * @throws Refusal resource_missing for an unknown one, ApiError 503 when the gateway does not answer
 */
export async function describeAtGateway(
  context: RequestContext,
  reference: string,
  param: string,
): Promise<PaymentMethodDetails & { gateway: string }> {
  const gateway = gatewayFor(context);
  try {
    const details = await gateway.attachPaymentMethod({ reference }, { signal: AbortSignal.timeout(GATEWAY_DEADLINE_MS) });
    return { ...details, gateway: gateway.name };
  } catch (error) {
    if (error instanceof GatewayUnavailable) {
      throw new ApiError('The payment gateway does not answer. Try again.', {
        status: 503,
        type: 'api_error',
        code: 'gateway_unavailable',
        retryAfter: 5,
      });
    }
    if (error instanceof Error && error.name === 'Refusal')
      throw badRequest(`No such PaymentMethod: '${reference}'`, param, 'resource_missing');
    throw error;
  }
}

export function newPaymentMethod(
  context: RequestContext,
  details: PaymentMethodDetails & { gateway: string },
  owner: { customerId: string | null; metadata: Record<string, string> },
): PaymentMethod {
  return {
    id: context.newId(ID_PREFIX.paymentMethod),
    customerId: owner.customerId,
    type: details.type,
    gateway: details.gateway,
    gatewayReference: details.reference,
    card: details.card,
    metadata: owner.metadata,
    createdAt: context.now(),
  };
}

/** What `attach` does, prepared before the transaction: one of our own methods by id, or a gateway's reference that becomes a new one. */
export type Attachment = { own: string } | { details: PaymentMethodDetails & { gateway: string } };

/** Attaches inside the caller's transaction. @throws ApiError 400 when it belongs to somebody else */
export async function attach(
  context: RequestContext,
  t: AccountTransaction,
  attachment: Attachment,
  customerId: string,
): Promise<PaymentMethod> {
  if ('details' in attachment) {
    const method = newPaymentMethod(context, attachment.details, { customerId, metadata: {} });
    await insertPaymentMethod(t, method);
    await tell(context, t, { type: 'payment_method.attached', objectType: 'payment_method', after: method });
    return method;
  }
  const method = await findPaymentMethod(t, attachment.own);
  if (method === null) throw badRequest(`No such PaymentMethod: '${attachment.own}'`, 'payment_method', 'resource_missing');
  if (method.customerId === customerId) return method;
  if (method.customerId !== null)
    throw badRequest('The payment method you provided has already been attached to a customer.', 'payment_method');
  const after = (await updatePaymentMethod(t, method.id, { customerId })) ?? method;
  await tell(context, t, { type: 'payment_method.attached', objectType: 'payment_method', after });
  return after;
}
