import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { findAccountByApiKeyHash, type KeyOwner } from '../db/accounts.ts';
import type { Database } from '../db/client.ts';
import { ApiError } from './errors.ts';

export const hashApiKey = (key: string): string => createHash('sha256').update(key).digest('hex');

const unauthorized = (message: string): ApiError => new ApiError(message, { status: 401, code: 'api_key_invalid' });

/**
 * The account behind a request's secret key, given as `Bearer sk_…` or as the user name of Basic. Keys are stored and looked up by their sha256,
 * so the time of the look-up tells nothing about a key. Every failure is the same 401.
 * The actor names the key by the beginning of its hash.
 * @throws ApiError 401
 */
export async function authenticate(db: Database, request: Request): Promise<KeyOwner & { actor: string }> {
  const key = keyOf(request.headers.authorization);
  if (key === null) {
    throw unauthorized("You did not provide an API key. Send it in the Authorization header, as 'Authorization: Bearer sk_…'.");
  }
  const hash = hashApiKey(key);
  const owner = /^sk_(test|live)_[A-Za-z0-9]{8,200}$/.test(key) ? await findAccountByApiKeyHash(db, hash) : null;
  if (owner === null) throw unauthorized(`Invalid API key provided: ${masked(key)}`);
  return { ...owner, actor: `api_key:${hash.slice(0, 12)}` };
}

function keyOf(header: string | undefined): string | null {
  const [scheme, credentials] = (header ?? '').split(/\s+/, 2);
  if (scheme === undefined || credentials === undefined || credentials === '') return null;
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic') return null;
  return Buffer.from(credentials, 'base64').toString('latin1').split(':', 1)[0] || null;
}

const masked = (key: string): string =>
  /^sk_(test|live)_/.test(key) ? `${key.slice(0, 8)}***${key.slice(-4).replace(/[^A-Za-z0-9]/g, '?')}` : '***';
