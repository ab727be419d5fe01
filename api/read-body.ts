import express, { type Request, type RequestHandler } from 'express';
import { ApiError, badRequest, printable } from './errors.ts';
import { parseForm } from './parse-form.ts';

const MAX_BODY = '256kb';
const MAX_LIST_BODY = '2mb';
const MAX_DEPTH = 16;
const LINES = 'application/x-ndjson';

/** Reads any body as bytes; what they mean is decided by `readParams`. Larger ones are refused with 413. */
export const readBytes: RequestHandler = express.raw({ type: () => true, limit: MAX_BODY });

/** The same for lists as JSON or lines of JSON; all else is left to `readBytes`. */
export const readListBytes: RequestHandler = express.raw({ type: ['application/json', LINES], limit: MAX_LIST_BODY });

export interface RawParams {
  /** Whether values are text that the schema must turn into numbers and booleans (forms and query strings). */
  textual: boolean;
  values: Record<string, unknown>;
}

/**
 * The parameters of a request: the query string, and the body as a form (Stripe's SDKs) or JSON (people).
 * @param listBody the parameter that a list as a body stands for, where one is taken
 * @throws ApiError 400 or 415; never anything else, whatever was sent.
 */
export function readParams(request: Request, listBody?: string): RawParams {
  const question = request.originalUrl.indexOf('?');
  const query = question === -1 ? {} : parseForm(request.originalUrl.slice(question + 1).replace(/#.*$/s, ''));
  const bytes: unknown = request.body;
  const read =
    Buffer.isBuffer(bytes) && bytes.length > 0 ? readBody(bytes, request.headers['content-type'], listBody) : { textual: true, values: {} };
  refuseUnstorable(query);
  refuseUnstorable(read.values);
  if (Object.keys(query).length === 0) return read;
  if (Object.keys(read.values).length === 0) return { textual: true, values: query };
  throw badRequest('Invalid request: send parameters either in the query string or in the body.');
}

function readBody(bytes: Buffer, contentType: string | undefined, listBody: string | undefined): RawParams {
  const type = (contentType ?? 'application/x-www-form-urlencoded').split(';')[0]?.trim().toLowerCase();
  const text = decodeUtf8(bytes);
  if (type === 'application/x-www-form-urlencoded') return { textual: true, values: parseForm(text) };
  if (type === LINES && listBody !== undefined) return { textual: false, values: { [listBody]: parseLines(text) } };
  if (type === 'application/json') {
    const value = parseJson(text);
    if (Array.isArray(value) && listBody !== undefined) return { textual: false, values: { [listBody]: value } };
    return { textual: false, values: hashOf(value) };
  }
  throw new ApiError(`Unsupported content type: ${printable(type ?? '')}. Send application/x-www-form-urlencoded or application/json.`, {
    status: 415,
  });
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest('Invalid request: the body is not valid UTF-8.');
  }
}

function parseJson(text: string, where = 'the body'): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(`Invalid request: ${where} is not valid JSON.`);
  }
}

const parseLines = (text: string): unknown[] =>
  text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseJson(line, `line ${index + 1}`)]));

function hashOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('Invalid request: the JSON body must be an object.');
  return value as Record<string, unknown>;
}

/** Text that Postgres cannot hold (null bytes, lone surrogates) is refused at the door, keys and values alike. */
function refuseUnstorable(value: unknown, path: readonly string[] = []): void {
  if (path.length > MAX_DEPTH) throw badRequest('Invalid request: the parameters are nested too deeply.');
  if (typeof value === 'string') {
    if (!storable(value)) throw badRequest('Invalid string: it contains a null byte or an unpaired surrogate.', nameOf(path));
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  // The path is named only where something is wrong: a list may have thousands of values.
  const keys = Object.keys(value);
  const inner = [...path, ''];
  for (const key of keys) {
    inner[path.length] = key;
    if (!storable(key)) throw badRequest('Invalid parameter name: it contains a null byte or an unpaired surrogate.', nameOf(inner));
    if (key === '__proto__') throw badRequest(`Received unknown parameter: ${nameOf(inner)}`, nameOf(inner), 'parameter_unknown');
    refuseUnstorable((value as Record<string, unknown>)[key], inner);
  }
}

const nameOf = ([first = '', ...rest]: readonly string[]): string => printable(`${first}${rest.map((key) => `[${key}]`).join('')}`);

const storable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
