import type { GatewayResult } from '../../domain/payments/gateway-result.ts';
import type { PaymentMethod } from '../../domain/payments/payment.ts';
import type { Instant } from '../../domain/time.ts';

/** What an adapter promises; `activities/collect-payment.ts` decides by it what is safe after a timeout. */
export interface GatewayCapabilities {
  /** For how long the same idempotency key cannot charge twice, in seconds; null where it never can. */
  idempotencyWindowSeconds: number | null;
  /** Whether `lookUp` can say for certain that a key never arrived. */
  canLookUp: boolean;
}

/** Ids only: what is written here can be read at the gateway for years, so no name and no address belongs in it. */
export interface ChargeMetadata {
  accountId: string;
  customerId: string;
  invoiceId: string;
  attemptId: string;
}

export interface ChargeRequest {
  idempotencyKey: string;
  /** Minor units, positive. */
  amount: number;
  currency: string;
  /** The gateway's own name of the payment method, `PaymentMethod.gatewayReference`. */
  paymentMethodReference: string;
  metadata: ChargeMetadata;
  /** The operation's `asOf`; no part of what makes two requests the same. */
  at: Instant;
}

/** Either the gateway's name of a stored method or token (`pm_card_visa`, `tok_visa`), or, where a gateway has test cards, the number of one. */
export type PaymentMethodSource = { reference: string } | { card: { number: string; expMonth: number; expYear: number } };

export interface PaymentMethodDetails {
  type: PaymentMethod['type'];
  /** To be kept as `PaymentMethod.gatewayReference`. */
  reference: string;
  card: PaymentMethod['card'];
}

/** A gateway's news about one charge. Deliveries repeat and overtake each other, so a reader looks the charge up and believes only that. */
export interface GatewayEvent {
  id: string;
  gateway: string;
  /** `charge.succeeded`, `charge.failed`, `charge.processing`, `charge.requires_action` */
  type: string;
  idempotencyKey: string;
  metadata: ChargeMetadata;
  occurredAt: Instant;
}

export interface CallOptions {
  /** The caller's deadline. An adapter gives up when it fires and throws `GatewayUnavailable`. */
  signal?: AbortSignal;
}

/**
 * A processor that can collect money. Every adapter passes `test/gateways/contract.ts`.
 * All methods throw `GatewayUnavailable` where the outcome is not known (no answer in time, an answer of the 5xx kind).
 */
export interface PaymentGateway {
  /** As in `PaymentMethod.gateway` and the ledger account `cash:<name>`. */
  readonly name: string;
  readonly capabilities: GatewayCapabilities;

  /** Checks and describes a payment method; moves no money. @throws Refusal resource_missing, parameter_invalid */
  attachPaymentMethod(source: PaymentMethodSource, options?: CallOptions): Promise<PaymentMethodDetails>;

  /**
   * Asks for money once per key: the same request again gives the first answer again. A decline is a result.
   * @throws GatewayUnavailable where it may or may not have been captured
   * @throws IdempotencyMismatch where the key was used for another request; nothing was charged for this one
   */
  charge(request: ChargeRequest, options?: CallOptions): Promise<GatewayResult>;

  /** How the charge of a key stands at `at`; null: no such request ever arrived. Where `canLookUp` is false, always null, which then means nothing. */
  lookUp(idempotencyKey: string, at: Instant, options?: CallOptions): Promise<GatewayResult | null>;

  /** Takes back a charge that waits for the customer, so that it can never capture any more. Returns how it ended: `declined` with code `canceled`, or `succeeded` where the customer was faster. */
  cancel?(idempotencyKey: string, at: Instant, options?: CallOptions): Promise<GatewayResult | null>;

  /** Checks the signature over the raw body and reads the event. `at` is the time of arrival, for the age of the signature. @throws WebhookRejected */
  parseWebhook(body: string, signature: string, at: Instant): GatewayEvent;
}

/** Nobody knows what became of the request: look it up, or send it again under the same key. */
export class GatewayUnavailable extends Error {
  readonly reason: 'timeout' | 'server_error' | 'connection';

  constructor(reason: GatewayUnavailable['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GatewayUnavailable';
    this.reason = reason;
  }
}

/** The key was used before with other parameters: a bug of the caller. Nothing was charged for this request. */
export class IdempotencyMismatch extends Error {
  constructor(idempotencyKey: string) {
    super(`Keys for idempotent requests can only be used with the same parameters they were first used with: ${idempotencyKey}.`);
    this.name = 'IdempotencyMismatch';
  }
}

/** A delivery whose signature is wrong or too old; it must not be acted on. */
export class WebhookRejected extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WebhookRejected';
  }
}
