import { Refusal, type RefusalCode } from '../domain/errors.ts';

type ErrorType = 'invalid_request_error' | 'idempotency_error' | 'card_error' | 'api_error';

export interface ErrorBody {
  error: { type: ErrorType; message: string; code?: string; param?: string; decline_code?: string };
}

interface ErrorFields {
  status: number;
  type?: ErrorType;
  code?: string | undefined;
  param?: string | undefined;
  declineCode?: string | undefined;
  /** Seconds for the Retry-After header. */
  retryAfter?: number;
}

/** An answer other than 2xx, in Stripe's shape. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: ErrorBody;
  readonly retryAfter: number | undefined;

  constructor(message: string, fields: ErrorFields) {
    super(message);
    this.name = 'ApiError';
    this.status = fields.status;
    this.retryAfter = fields.retryAfter;
    this.body = {
      error: {
        type: fields.type ?? 'invalid_request_error',
        message,
        ...(fields.code === undefined ? {} : { code: fields.code }),
        ...(fields.param === undefined ? {} : { param: fields.param }),
        ...(fields.declineCode === undefined ? {} : { decline_code: fields.declineCode }),
      },
    };
  }
}

interface HttpRefusal {
  status: number;
  type: ErrorType;
  code: string;
}

const invalid = (code: string, status = 400): HttpRefusal => ({ status, type: 'invalid_request_error', code });

/** The total map from refusal codes to HTTP; Stripe's own code where Stripe has one for the case. */
const REFUSAL_ANSWERS: Record<RefusalCode, HttpRefusal> = {
  resource_missing: invalid('resource_missing', 404),
  parameter_invalid: invalid('parameter_invalid'),
  parameter_missing: invalid('parameter_missing'),
  parameter_unknown: invalid('parameter_unknown'),
  amount_out_of_range: invalid('amount_too_large'),
  date_out_of_range: invalid('date_out_of_range'),
  currency_mismatch: invalid('currency_mismatch'),
  interval_mismatch: invalid('interval_mismatch'),
  price_inactive: invalid('price_inactive'),
  price_not_recurring: invalid('price_not_recurring'),
  item_duplicate_price: invalid('item_duplicate_price'),
  base_product_missing: invalid('base_product_missing'),
  item_missing: invalid('resource_missing'),
  last_item_removal: invalid('last_item_removal'),
  no_payment_method: invalid('resource_missing'),
  payment_method_detached: invalid('payment_method_detached'),
  payment_failed: { status: 402, type: 'card_error', code: 'card_declined' },
  payment_in_progress: invalid('payment_in_progress', 409),
  subscription_canceled: invalid('subscription_canceled'),
  subscription_incomplete: invalid('subscription_incomplete'),
  transition_not_allowed: invalid('status_transition_invalid'),
  pending_update_exists: invalid('pending_update_exists'),
  invoice_not_draft: invalid('invoice_not_editable'),
  invoice_not_open: invalid('invoice_not_open'),
  invoice_already_paid: invalid('invoice_already_paid'),
  customer_deleted: invalid('resource_missing'),
  coupon_expired: invalid('coupon_expired'),
  promotion_code_restricted: invalid('promotion_code_restricted'),
  trial_already_used: invalid('trial_already_used'),
  operation_conflict: { status: 400, type: 'idempotency_error', code: 'idempotency_key_reused' },
  generation_superseded: invalid('lock_timeout', 409),
  // Not 409, which Stripe's clients take for a reason to try again.
  preview_outdated: invalid('preview_outdated'),
};

/** What a refusal is to an HTTP caller. A missing thing named by a parameter is a bad request; one named by the path is not found. */
function refusalAnswer(code: RefusalCode, message: string, param?: string): ApiError {
  const answer = REFUSAL_ANSWERS[code];
  const status = code === 'resource_missing' && param !== undefined && param !== 'id' ? 400 : answer.status;
  return new ApiError(message, { ...answer, status, param });
}

export const notFound = (kind: string, id: string, param = 'id'): ApiError =>
  refusalAnswer('resource_missing', `No such ${kind}: '${printable(id)}'`, param);

export const badRequest = (message: string, param?: string, code = 'parameter_invalid'): ApiError =>
  new ApiError(message, { status: 400, code, param });

/** No worker answered in time: the command may still apply, and the same Idempotency-Key then finds its answer. */
export const noAnswerInTime = (): ApiError =>
  new ApiError(
    'The command was sent but not confirmed in time; it may still apply. Retry with the same Idempotency-Key to get its answer.',
    {
      status: 503,
      type: 'api_error',
      code: 'not_confirmed_in_time',
      retryAfter: 2,
    },
  );

/** Under Stripe's name for it. Nothing was written, so that asking again is safe. */
export const taxesNotCalculated = (calculator: string): ApiError =>
  new ApiError(`The tax calculator ${calculator} gives no answer at the moment. Nothing was changed; try again shortly.`, {
    status: 503,
    type: 'api_error',
    code: 'taxes_calculation_failed',
    retryAfter: 5,
  });

/** Shortens and cleans what a caller sent before it is quoted back. */
export function printable(text: string): string {
  const clean = text.toWellFormed().replace(/[\p{Cc}\p{Cs}]/gu, '?');
  return clean.length > 100 ? `${clean.slice(0, 100)}…` : clean;
}

/** Every thrown value as an answer; anything not foreseen is a 500 that tells nothing. */
export function answerFor(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof Refusal) return refusalAnswer(error.code, error.message, error.param);
  const known = httpError(error) ?? databaseError(error) ?? overload(error);
  if (known !== null) return known;
  return new ApiError('An unexpected error occurred. It has been logged under this request id.', { status: 500, type: 'api_error' });
}

/** Errors of the HTTP layer itself (body-parser, the router's URL decoding), which carry a 4xx status. */
function httpError(error: unknown): ApiError | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  if (error.status < 400 || error.status > 499) return null;
  if (error.status === 413) return new ApiError('The request body is too large.', { status: 413, code: 'request_too_large' });
  return new ApiError(`Invalid request: ${printable(error.message)}`, { status: error.status });
}

/** Of Postgres: a statement that took too long, and no connection left. */
const OVERLOADED = new Set(['57014', '53300']);

/** The database has too much to do at the moment, which is nobody's mistake and passes. */
function overload(error: unknown): ApiError | null {
  if (!(error instanceof Error)) return null;
  const isOverload = error.name === 'KnexTimeoutError' || ('code' in error && OVERLOADED.has(String(error.code)));
  return isOverload ? noAnswerInTime() : null;
}

/** Uniqueness that callers can break, by what the constraint's name holds, and the parameter at fault. */
const TAKEN = { external_id: 'external_id', event_name: 'event_name', lookup_key: 'lookup_key', products_pkey: 'id' };

/** What Postgres refuses because of another row: the loser of a race that a look-up before the write cannot see. */
function databaseError(error: unknown): ApiError | null {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505' || !('constraint' in error)) return null;
  const constraint = String(error.constraint);
  const param = Object.entries(TAKEN).find(([part]) => constraint.includes(part))?.[1];
  return param === undefined
    ? null
    : new ApiError(`Another object already has this ${param}.`, { status: 400, code: 'resource_already_exists', param });
}
