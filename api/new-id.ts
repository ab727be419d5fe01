import { createHash, randomBytes } from 'node:crypto';
import type { IdSource } from '../domain/decision.ts';
import { ID_PREFIX } from '../domain/ids.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 24 characters of base 62 out of at least 24 bytes (142 bits; the bias of the last digit does not matter for uniqueness). */
function base62(bytes: Buffer): string {
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let n = 0; n < 24; n += 1) {
    text += ALPHABET[Number(value % 62n)];
    value /= 62n;
  }
  return text;
}

export const randomId = (prefix: string): string => `${prefix}_${base62(randomBytes(24))}`;

export interface RequestIds {
  /** Unique per account for ever; the same for every try under one Idempotency-Key. */
  operationId: string;
  newId: IdSource;
  /** Whether this request made the id: another one, asking for the same, would make another. */
  isNew(id: string): boolean;
}

/**
 * The ids one request makes. Under an Idempotency-Key they follow from account and key, so that a retry after a crash or a lost answer names
 * the same subscription and the same operation; without one they are random.
 */
export function idsFor(accountId: string, idempotencyKey: string | null): RequestIds {
  const made = new Set<string>();
  const counts = new Map<string, number>();
  const following = (prefix: string, key: string): string => {
    const n = counts.get(prefix) ?? 0;
    counts.set(prefix, n + 1);
    return `${prefix}_${base62(
      createHash('sha256')
        .update(JSON.stringify([accountId, key, prefix, n]))
        .digest(),
    )}`;
  };
  const newId = (prefix: string): string => {
    const id = idempotencyKey === null ? randomId(prefix) : following(prefix, idempotencyKey);
    made.add(id);
    return id;
  };
  return { operationId: newId(ID_PREFIX.operation), newId, isNew: (id) => made.has(id) };
}
