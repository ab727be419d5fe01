import type { RequestContext } from './context.ts';
import type { Kind } from './expandable-fields.ts';
import type { z } from './schemas/zod.ts';

interface Input<P> {
  /** Path parameters, by name. */
  path: Record<string, string>;
  params: P;
}

/** One endpoint: what it takes, what it answers, and who acts. The router, the checks and the OpenAPI document are made from it. */
export interface Route<S extends z.ZodType = z.ZodType> {
  method: 'get' | 'post' | 'delete';
  /** In Express's notation: `/v1/customers/:id`. */
  path: string;
  summary: string;
  tag: string;
  params: S;
  /** Shape of the answer, and what it is to `expand[]`: one object of a kind, or a list of them. */
  answer: z.ZodType;
  kind: Kind;
  list?: boolean;
  /** The parameter that a body stands for which is a bare JSON list, or a JSON value per line (application/x-ndjson). Such bodies may be larger. */
  listBody?: string;
  /** Whether the call changes something and so obeys Idempotency-Key. */
  writes: boolean;
  handle(context: RequestContext, input: Input<z.output<S>>): Promise<object>;
}

type Definition<S extends z.ZodType> = Omit<Route<S>, 'writes'>;

/** Fixes the type of the parameters from their schema, so that a handler cannot read what the schema does not allow. */
export const route = <S extends z.ZodType>(definition: Definition<S>): Route =>
  ({ ...definition, writes: definition.method !== 'get' }) as unknown as Route;
