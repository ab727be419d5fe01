import { createHash } from 'node:crypto';
import { type Database, withAccount } from '../db/client.ts';
import { claimIdempotencyKey, releaseIdempotencyKey, storeIdempotentResponse } from '../db/idempotency-keys.ts';
import type { Account } from '../domain/account.ts';
import type { Instant } from '../domain/time.ts';
import { ApiError, badRequest } from './errors.ts';

export interface Answer {
  status: number;
  body: object;
}

/** @returns the key, or null where none was sent. @throws ApiError 400 for one that is empty, too long or not plain text. */
export function idempotencyKeyOf(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header === 'string' && /^[\x20-\x7e]{1,255}$/.test(header)) return header;
  throw badRequest('Invalid Idempotency-Key: it must be 1 to 255 printable ASCII characters.');
}

/** Method, path and parameters as one hash; the same request again has the same one, whatever the order of its keys. */
export const hashRequest = (method: string, path: string, params: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([method, path, sorted(params)]))
    .digest('hex');

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}

interface Claim {
  key: string;
  requestHash: string;
  /** What the request makes or changes; its own operation, from which every id follows. */
  operationId: string;
  now: Instant;
}

/**
 * Carries a request out once per key. Its answer is kept and given to every repetition; where `act` throws (a failure of ours, or an outcome that is
 * not known yet), nothing is kept, and the same request may be sent again under the same key.
 * @throws ApiError 400 idempotency_error for another request under the key, 409 while the first one is being carried out
 */
export async function once(
  db: Database,
  account: Account,
  claim: Claim,
  act: () => Promise<Answer>,
): Promise<Answer & { replayed: boolean }> {
  const { key, requestHash, operationId, now } = claim;
  const claimed = await withAccount(db, account.id, (t) =>
    claimIdempotencyKey(t, { key, requestHash, resourceId: operationId, createdAt: now }),
  );
  switch (claimed.state) {
    case 'replay':
      return { status: claimed.status, body: claimed.body as object, replayed: true };
    case 'mismatch':
      throw new ApiError(
        `Keys for idempotent requests can only be used with the same parameters they were first used with. Try another key than '${key}'.`,
        {
          status: 400,
          type: 'idempotency_error',
          code: 'idempotency_key_reused',
        },
      );
    case 'in_progress':
      throw new ApiError('There is another request under this Idempotency-Key in progress. Try again shortly.', {
        status: 409,
        type: 'idempotency_error',
        code: 'idempotency_key_in_use',
        retryAfter: 1,
      });
    case 'new':
      break;
  }
  let answer: Answer;
  try {
    answer = await act();
  } catch (error) {
    await withAccount(db, account.id, (t) => releaseIdempotencyKey(t, key));
    throw error;
  }
  await withAccount(db, account.id, (t) => storeIdempotentResponse(t, key, answer));
  return { ...answer, replayed: false };
}
