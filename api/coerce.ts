import type { z } from './schemas/zod.ts';

type Schema = z.core.$ZodType;

/**
 * Turns the text of a form into the kinds the schema asks for, strictly: "12" is an integer, "1e3" and "012" are not; "true" and "false" are
 * booleans; "" unsets where the schema allows null; a hash of indexes is a list where a list is asked for. What does not fit stays text,
 * and the schema then refuses it by name.
 */
export function coerce(schema: Schema, value: unknown): unknown {
  if (value === undefined) return undefined;
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'readonly':
      return coerce(def.innerType, value);
    case 'nullable':
      return value === '' ? null : coerce(def.innerType, value);
    case 'pipe':
      return coerce(def.in, value);
    case 'number':
      return typeof value === 'string' && /^-?(0|[1-9]\d{0,15})(\.\d{1,12})?$/.test(value) ? Number(value) + 0 : value;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'object':
      return mapHash(value, (key, inner) => {
        const field = Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
        return field === undefined ? inner : coerce(field, inner);
      });
    case 'record':
      return mapHash(value, (_, inner) => coerce(def.valueType, inner));
    case 'array':
      return listOf(value)?.map((element) => coerce(def.element, element)) ?? value;
    case 'union':
      return coerceUnion(def.options, value);
    default:
      return value;
  }
}

function mapHash(value: unknown, map: (key: string, inner: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, map(key, inner)]));
}

function listOf(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return null;
  const entries = Object.entries(value);
  if (!entries.every(([key]) => /^\d{1,5}$/.test(key))) return null;
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, inner]) => inner);
}

function coerceUnion(options: readonly Schema[], value: unknown): unknown {
  for (const option of options) {
    const coerced = coerce(option, value);
    if ((option as z.ZodType).safeParse(coerced).success) return coerced;
  }
  return value;
}
