import { badRequest, printable } from './errors.ts';

/** A form as it was sent: text at the leaves, hashes with string keys between (a list is a hash of indexes until a schema says so). */
export interface FormHash {
  [key: string]: string | FormHash;
}

const MAX_PAIRS = 2_000;
const MAX_DEPTH = 8;

/**
 * Parses Stripe's bracket notation (`items[0][price]=p&expand[]=x&metadata[k]=v`). Keys made of digits stay hash keys here, because only
 * the schema knows whether `metadata[0]` is a key or an index. `a[]` counts up; `items[][price]` begins a new element when its key repeats.
 * @throws ApiError 400 for malformed escapes, unbalanced brackets, a parameter given twice, or too many or too deep parameters.
 */
export function parseForm(text: string): FormHash {
  const root: FormHash = Object.create(null);
  if (text === '') return root;
  const pairs = text.split('&');
  if (pairs.length > MAX_PAIRS) throw badRequest(`Too many parameters: at most ${MAX_PAIRS} are allowed.`);
  for (const pair of pairs) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decode(at === -1 ? pair : pair.slice(0, at));
    place(root, keysOf(name), at === -1 ? '' : decode(pair.slice(at + 1)), name);
  }
  return root;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw badRequest('Invalid request: a parameter is not valid percent-encoded UTF-8.');
  }
}

function keysOf(name: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (match === null) throw badRequest(`Invalid parameter name: ${printable(name)}`, printable(name));
  const keys = [match[1] ?? '', ...[...(match[2] ?? '').matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1] ?? '')];
  if (keys.length > MAX_DEPTH) throw badRequest(`Invalid parameter: ${printable(name)} is nested too deeply.`, printable(name));
  if (keys.includes('__proto__')) throw badRequest(`Received unknown parameter: ${printable(name)}`, printable(name), 'parameter_unknown');
  return keys;
}

function place(root: FormHash, keys: string[], value: string, name: string): void {
  let hash = root;
  for (const [depth, raw] of keys.entries()) {
    const last = depth === keys.length - 1;
    const key = raw === '' ? nextIndex(hash, last ? null : (keys[depth + 1] ?? null)) : raw;
    const present = hash[key];
    if (last) {
      if (present !== undefined) throw badRequest(`Invalid parameter: ${printable(name)} was given twice.`, printable(name));
      hash[key] = value;
      return;
    }
    if (typeof present === 'string') throw badRequest(`Invalid parameter: ${printable(name)} is both a value and a hash.`, printable(name));
    const next: FormHash = present ?? Object.create(null);
    hash[key] = next;
    hash = next;
  }
}

function nextIndex(hash: FormHash, following: string | null): string {
  const size = Object.keys(hash).length;
  const last = hash[String(size - 1)];
  const continues = following !== null && following !== '' && typeof last === 'object' && !(following in last);
  return String(continues ? size - 1 : size);
}
