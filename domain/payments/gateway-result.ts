/**
 * What a payment gateway says of one attempt. `unknown` is a timeout, a 5xx or anything else after which the money may or may not
 * have moved: it is looked up under the same idempotency key, never charged anew.
 */
export interface GatewayResult {
  kind: 'succeeded' | 'declined' | 'processing' | 'requires_action' | 'unknown';
  /** The gateway's own id of the payment, once it has one. */
  reference: string | null;
  /** Stripe's decline codes (`insufficient_funds`, `lost_card` …); null unless declined. */
  declineCode: string | null;
  /** For people; never parsed. */
  message: string | null;
}
