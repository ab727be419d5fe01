import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { Refusal, type RefusalCode } from '../domain/errors.ts';

/** `expected`: an answer to the caller, logged quietly. `alarm`: no caller should be able to cause it, so it counts as a failure in logs and metrics. */
const LOUDNESS: Record<RefusalCode, 'expected' | 'alarm'> = {
  resource_missing: 'expected',
  parameter_invalid: 'expected',
  parameter_missing: 'expected',
  parameter_unknown: 'expected',
  amount_out_of_range: 'expected',
  date_out_of_range: 'expected',
  currency_mismatch: 'expected',
  interval_mismatch: 'expected',
  price_inactive: 'expected',
  price_not_recurring: 'expected',
  item_duplicate_price: 'expected',
  item_missing: 'expected',
  base_product_missing: 'expected',
  last_item_removal: 'expected',
  no_payment_method: 'expected',
  payment_method_detached: 'expected',
  payment_failed: 'expected',
  payment_in_progress: 'expected',
  subscription_canceled: 'expected',
  subscription_incomplete: 'expected',
  transition_not_allowed: 'expected',
  pending_update_exists: 'expected',
  invoice_not_draft: 'expected',
  invoice_not_open: 'expected',
  invoice_already_paid: 'expected',
  customer_deleted: 'expected',
  coupon_expired: 'expected',
  promotion_code_restricted: 'expected',
  trial_already_used: 'expected',
  operation_conflict: 'alarm',
  generation_superseded: 'expected',
  preview_outdated: 'expected',
};

/** What a refusal becomes for a workflow: final (a retry would be refused again), its code as `type`, the parameter at fault in `details[0].param`. */
export const toFailure = (refusal: Refusal): ApplicationFailure =>
  ApplicationFailure.create({
    message: refusal.message,
    type: refusal.code,
    nonRetryable: true,
    details: [{ param: refusal.param ?? null }],
    ...(LOUDNESS[refusal.code] === 'expected' ? { category: ApplicationFailureCategory.BENIGN } : {}),
    cause: refusal,
  });

/** Runs one activity; a `Refusal` becomes its failure, everything else (a lost connection, a bug) is thrown on and Temporal retries it. */
export async function withFailures<R>(run: () => Promise<R>): Promise<R> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof Refusal ? toFailure(error) : error;
  }
}
