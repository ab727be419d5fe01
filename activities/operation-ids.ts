import { createHash } from 'node:crypto';
import type { IdSource } from '../domain/decision.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 24;

/**
 * Ids of one operation, `<prefix>_<24 base62 characters>`, about 142 bits of sha256(account, operation, counter): the same operation makes the same ids in the same
 * order on every try, on every worker, so a retry can only write the rows that the first try would have written.
 */
export function operationIds(accountId: string, operationId: string): IdSource {
  let counter = 0;
  return (prefix) => {
    counter += 1;
    const digest = createHash('sha256')
      .update(JSON.stringify([accountId, operationId, counter]))
      .digest('hex');
    let rest = BigInt(`0x${digest}`);
    let text = '';
    while (text.length < LENGTH) {
      text += ALPHABET[Number(rest % 62n)];
      rest /= 62n;
    }
    return `${prefix}_${text}`;
  };
}

/**
 * sha256 of an operation's kind and parameters, keys sorted and absent ones left out, so that key order and `undefined` do not matter. The
 * time and the actor are not part of it: the same command sent again later is the same command.
 */
export const requestHash = (kind: string, parameters: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, canonical(parameters)]))
    .digest('hex');

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, canonical(part)]),
  );
}
