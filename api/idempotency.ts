import { createHash } from 'node:crypto';
import type { Account } from '../domain/account.ts';
import type { Instant } from '../domain/time.ts';
import type { Database } from '../db/client.ts';
import { claimIdempotencyKey, releaseIdempotencyKey, storeIdempotentResponse } from '../db/idempotency-keys.ts';
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
  createHash('sha256').update(JSON.stringify([method, path, sorted(params)])).digest('hex');

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}
