import type { Address } from '../domain/invoicing/invoice.ts';
import type { address } from './schemas/fields.ts';
import type { z } from './schemas/zod.ts';

/** An address as it is kept: what is not given is not known. */
export const addressFrom = (given: z.output<typeof address>): Address => ({
  line1: given.line1 ?? null,
  line2: given.line2 ?? null,
  city: given.city ?? null,
  state: given.state ?? null,
  postalCode: given.postal_code ?? null,
  country: given.country?.toUpperCase() ?? null,
});
