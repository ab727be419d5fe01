import { isCurrency, parseDecimal } from '../../domain/money.ts';
import { isTimeZone, MAX_INSTANT } from '../../domain/time.ts';
import { z } from './zod.ts';

/** Text that must not be empty; `nullable()` lets an empty string unset it. */
export const text = (max = 5000) => z.string().min(1).max(max);
export const unsettable = (max = 5000) => text(max).nullable().optional();
/** An id as a parameter; whether it exists is asked of Postgres. */
export const reference = text(255).regex(/^[A-Za-z0-9_.:-]+$/);
/** Unix seconds between 1970 and 9999. */
export const timestamp = z.int().min(0).max(MAX_INSTANT);
export const currency = z
  .string()
  .transform((code) => code.toLowerCase())
  .refine(isCurrency, { error: 'Invalid currency: use a three-letter ISO 4217 code, like eur.' })
  .openapi({ type: 'string', example: 'eur' });
export const timezone = z.string().max(100).refine(isTimeZone, { error: 'Invalid time zone: use an IANA name, like Europe/Berlin.' });
/** What a preview answered with: the request is carried out as it was previewed, or refused. */
export const previewToken = text(16_000).optional();
export const quantity = z.int().min(0).max(999_999_999);
export const email = z
  .string()
  .max(512)
  .regex(/^[^@\s]+@[^@\s]+$/);

/** A decimal as people and SDKs send it: text, or a JSON number that is exact when printed. */
export const decimal = (decimals: number, check: (value: string) => boolean, what: string) =>
  z
    .union([z.string(), z.number().transform(String)])
    .transform((value, context) => {
      const parsed = parseDecimal(value, decimals);
      if (parsed !== null && check(parsed)) return parsed;
      context.addIssue({ code: 'custom', message: `Invalid decimal: ${what}.` });
      return z.NEVER;
    })
    .openapi({ type: 'string', description: what, example: '12.5' });

const metadataKey = z
  .string()
  .min(1)
  .max(40)
  .regex(/^[^[\]]+$/);
const within50 = (hash: Record<string, unknown> | null): boolean => hash === null || Object.keys(hash).length <= 50;
const TOO_MANY = { error: 'Invalid metadata: at most 50 keys are allowed.' };

/** Metadata of a new object: at most 50 keys of 40 characters, values of 500. An empty value leaves the key out. */
export const metadata = z.record(metadataKey, z.string().max(500).nullable()).refine(within50, TOO_MANY).nullable().optional();

/** Merges metadata as Stripe does: a null or empty value removes a key, null as a whole removes all. */
export function mergeMetadata(
  present: Record<string, string>,
  change: Record<string, string | null> | null | undefined,
): Record<string, string> {
  if (change === undefined) return present;
  if (change === null) return {};
  const merged = Object.entries({ ...present, ...change }).filter(
    (entry): entry is [string, string] => entry[1] !== null && entry[1] !== '',
  );
  return Object.fromEntries(merged);
}

export const expand = z.array(z.string().min(1).max(200)).max(20).optional();
export const idList = (max = 20) => z.array(reference).max(max);

const range = z.strictObject({ gt: timestamp.optional(), gte: timestamp.optional(), lt: timestamp.optional(), lte: timestamp.optional() });
/** A filter on an instant: exactly, or by bounds. */
export const when = z.union([timestamp, range]).optional();

/** Cursor paging, on every list. */
export const paging = {
  limit: z.int().min(1).max(100).default(10),
  starting_after: reference.optional(),
  ending_before: reference.optional(),
  expand,
};

export const address = z.strictObject({
  line1: unsettable(500),
  line2: unsettable(500),
  city: unsettable(500),
  state: unsettable(500),
  postal_code: unsettable(100),
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/)
    .nullable()
    .optional(),
});

// Shapes of answers.
export const answerMetadata = z.record(z.string(), z.string());
export const nullableText = z.string().nullable();
export const nullableTime = z.int().nullable();

/** A field that holds an id, or the object itself where `expand[]` names it. */
export const expandable = (schema: string) =>
  z
    .union([z.string(), z.looseObject({ id: z.string(), object: z.string() })])
    .openapi({ anyOf: [{ type: 'string' }, { $ref: `#/components/schemas/${schema}` }] } as never);
export const expandableOrNull = (schema: string) =>
  z
    .union([z.string(), z.looseObject({ id: z.string(), object: z.string() }), z.null()])
    .openapi({ anyOf: [{ type: 'string' }, { $ref: `#/components/schemas/${schema}` }, { type: 'null' }] } as never);

export const listOf = <T extends z.ZodType>(element: T) =>
  z.strictObject({ object: z.literal('list'), data: z.array(element), has_more: z.boolean(), url: z.string() });

export const deletedOf = (object: string) => z.strictObject({ id: z.string(), object: z.literal(object), deleted: z.literal(true) });
