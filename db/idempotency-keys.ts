import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { toTimestamp } from './table.ts';

/** How long a request may hold its key; after that its process is taken for dead. Seconds. */
const HOLD = 60;

export type IdempotencyClaim =
  /** Carry the request out; `resourceId` is the one first claimed, so that a repeated request names the same objects. */
  | { state: 'new'; resourceId: string }
  | { state: 'replay'; status: number; body: unknown }
  | { state: 'in_progress' }
  | { state: 'mismatch' };

/** Claims a client's Idempotency-Key for one request. `createdAt` is the request's time; it decides nothing but whether an earlier claim is stale. */
export async function claimIdempotencyKey(
  t: AccountTransaction,
  claim: { key: string; requestHash: string; resourceId: string; createdAt: Instant },
): Promise<IdempotencyClaim> {
  const until = toTimestamp(claim.createdAt + HOLD);
  const inserted = await t.trx.raw(
    `insert into idempotency_keys (account_id, key, request_hash, resource_id, locked_until, created_at) values (?, ?, ?, ?, ?, ?) on conflict do nothing`,
    [t.accountId, claim.key, claim.requestHash, claim.resourceId, until, toTimestamp(claim.createdAt)],
  );
  if (inserted.rowCount === 1) return { state: 'new', resourceId: claim.resourceId };
  const { rows } = await t.trx.raw('select * from idempotency_keys where account_id = ? and key = ? for update', [t.accountId, claim.key]);
  const held = rows[0];
  if (held.request_hash !== claim.requestHash) return { state: 'mismatch' };
  if (held.response_status !== null) return { state: 'replay', status: held.response_status, body: held.response_body };
  if (held.locked_until !== null && held.locked_until > claim.createdAt) return { state: 'in_progress' };
  await t.trx.raw('update idempotency_keys set locked_until = ? where account_id = ? and key = ?', [until, t.accountId, claim.key]);
  return { state: 'new', resourceId: held.resource_id };
}

/** Keeps the answer, to be given to every repetition. */
export async function storeIdempotentResponse(
  t: AccountTransaction,
  key: string,
  response: { status: number; body: unknown },
): Promise<void> {
  await t.trx.raw(
    'update idempotency_keys set response_status = ?, response_body = ?::jsonb, locked_until = null where account_id = ? and key = ?',
    [response.status, JSON.stringify(response.body), t.accountId, key],
  );
}

/** Lets the request be tried again under its key: the outcome is not known, or was our own failure. */
export async function releaseIdempotencyKey(t: AccountTransaction, key: string): Promise<void> {
  await t.trx.raw('update idempotency_keys set locked_until = null where account_id = ? and key = ?', [t.accountId, key]);
}
