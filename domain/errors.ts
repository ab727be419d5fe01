/**
 * Every reason for which Perennial refuses a command. A refusal is an error the caller can act on; a payment decline is
 * not one (it is an outcome, see `domain/payments/payment.ts`). Two total maps read this list: `activities/failures.ts`
 * (to ApplicationFailure) and `api/errors.ts` (to HTTP), so a new code does not compile until both know it.
 */
export const REFUSAL_CODES = [
  'resource_missing',
  'parameter_invalid',
  'parameter_missing',
  'parameter_unknown',
  'amount_out_of_range',
  'date_out_of_range',
  'currency_mismatch',
  'interval_mismatch',
  'price_inactive',
  'price_not_recurring',
  'item_duplicate_price',
  'item_missing',
  'base_product_missing',
  'last_item_removal',
  'no_payment_method',
  'payment_method_detached',
  'payment_failed',
  'payment_in_progress',
  'subscription_canceled',
  'subscription_incomplete',
  'transition_not_allowed',
  'pending_update_exists',
  'invoice_not_draft',
  'invoice_not_open',
  'invoice_already_paid',
  'customer_deleted',
  'coupon_expired',
  'promotion_code_restricted',
  'trial_already_used',
  'operation_conflict',
  'generation_superseded',
  'preview_outdated',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Thrown by the domain when a command cannot be obeyed; nothing has been written when it is thrown. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  /** The request parameter at fault, in Stripe's notation (`items[0][price]`), when there is one. */
  readonly param: string | undefined;

  constructor(code: RefusalCode, message: string, param?: string) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.param = param;
  }

  /** The same, in the words of a request that asked for it by another parameter. */
  about(param: string): Refusal {
    return new Refusal(this.code, this.message, param);
  }
}

export function isRefusalCode(value: unknown): value is RefusalCode {
  return typeof value === 'string' && (REFUSAL_CODES as readonly string[]).includes(value);
}
