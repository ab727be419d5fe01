import { coerce } from './coerce.ts';
import { ApiError, printable } from './errors.ts';
import type { RawParams } from './read-body.ts';
import type { z } from './schemas/zod.ts';

type Issue = z.core.$ZodIssue;

/**
 * Checks parameters against a closed schema. The first fault is told as Stripe tells it: code, message, and the parameter in bracket notation.
 * Unknown parameters come first, because a misspelt one usually explains the missing one.
 * @throws ApiError 400
 */
export function checkInput<S extends z.ZodType>(schema: S, params: RawParams): z.output<S> {
  const values = params.textual ? coerce(schema, params.values) : params.values;
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap(flatten);
  const issue = issues.find((candidate) => candidate.code === 'unrecognized_keys') ?? issues[0];
  throw issue === undefined ? new ApiError('Invalid request.', { status: 400 }) : faultOf(issue, values);
}

/** A union's faults are those of the branch that came furthest. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const branches = issue.errors.filter((branch) => branch.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'));
  const best = branches[0];
  if (best === undefined) return [issue];
  return best.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] } as Issue));
}

const bracketed = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (index === 0 ? String(key) : `[${String(key)}]`)).join('');

function faultOf(issue: Issue, values: unknown): ApiError {
  const at = bracketed(issue.path);
  const given = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], values);
  const fail = (code: string, message: string, param = at): ApiError =>
    new ApiError(message, { status: 400, code, param: param === '' ? undefined : printable(param) });
  switch (issue.code) {
    case 'unrecognized_keys': {
      const param = bracketed([...issue.path, issue.keys[0] ?? '']);
      return fail('parameter_unknown', `Received unknown parameter: ${printable(param)}. It does not exist or is not supported.`, param);
    }
    case 'invalid_type':
      if (given === undefined) return fail('parameter_missing', `Missing required param: ${printable(at)}.`);
      if (given === '') return emptyString(fail, at);
      if (issue.expected === 'int' || issue.expected === 'number') {
        return fail('parameter_invalid_integer', `Invalid ${issue.expected === 'int' ? 'integer' : 'number'}: ${quoted(given)}`);
      }
      return fail('parameter_invalid', `Invalid ${nameOf(issue.expected)}: ${quoted(given)}`);
    case 'invalid_value':
      if (given === undefined) return fail('parameter_missing', `Missing required param: ${printable(at)}.`);
      return fail('parameter_invalid', `Invalid ${printable(at)}: must be one of ${issue.values.map(String).join(', ')}`);
    case 'too_small':
      if (issue.origin === 'string' && given === '') return emptyString(fail, at);
      return fail(
        rangeCode(issue.origin),
        `Invalid ${printable(at)}: must be ${issue.origin === 'string' ? 'at least' : '≥'} ${issue.minimum}${unitOf(issue.origin)}`,
      );
    case 'too_big':
      return fail(rangeCode(issue.origin), `Invalid ${printable(at)}: must be at most ${issue.maximum}${unitOf(issue.origin)}`);
    case 'invalid_union':
      if (given === undefined) return fail('parameter_missing', `Missing required param: ${printable(at)}.`);
      return fail('parameter_invalid', `Invalid ${printable(at)}: ${quoted(given)}`);
    case 'invalid_key':
      return fail('parameter_invalid', `Invalid key in ${printable(at)}: keys have 1 to 40 characters`);
    case 'custom':
      return fail(typeof issue.params?.['code'] === 'string' ? issue.params['code'] : 'parameter_invalid', issue.message, at);
    default:
      return fail('parameter_invalid', `Invalid ${printable(at)}: ${quoted(given)}`);
  }
}

const emptyString = (fail: (code: string, message: string) => ApiError, at: string): ApiError =>
  fail(
    'parameter_invalid_empty',
    `You passed an empty string for '${printable(at)}'. An empty value unsets a parameter; '${printable(at)}' cannot be unset.`,
  );

const rangeCode = (origin: string): string => (origin === 'int' || origin === 'number' ? 'parameter_invalid_integer' : 'parameter_invalid');
const unitOf = (origin: string): string => (origin === 'string' ? ' characters' : origin === 'array' ? ' elements' : '');
const nameOf = (expected: string): string =>
  expected === 'record' || expected === 'object' ? 'hash' : expected === 'array' ? 'array' : expected;

function quoted(value: unknown): string {
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : 'a hash';
}
