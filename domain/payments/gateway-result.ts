/** What a payment gateway said of one charge. A decline is an outcome, not an error. */
export interface GatewayResult {
  kind: 'succeeded' | 'declined' | 'processing' | 'requires_action' | 'unknown';
  /** The gateway's own id of the charge, when it gave one. */
  reference: string | null;
  /** Stripe's decline codes: `insufficient_funds`, `lost_card`, … */
  declineCode: string | null;
  message: string | null;
}
