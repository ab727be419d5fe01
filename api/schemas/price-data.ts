import { currency, reference } from './fields.ts';
import { amounts, missing, oneAmount, taxBehavior } from './price-amounts.ts';
import { priceCycle } from './prices.ts';
import { z } from './zod.ts';

const terms = { currency, product: reference, ...amounts, tax_behavior: taxBehavior.default('unspecified') };

/** A price made in passing, of an item of a subscription. */
export const recurringPriceData = z
  .strictObject({ ...terms, recurring: priceCycle })
  .superRefine((input, context) => oneAmount(input, context));
/** A price made in passing, of something sold once. */
export const oneTimePriceData = z.strictObject(terms).superRefine((input, context) => oneAmount(input, context));

/** Which of the two ways is for the request to say, but it says one. */
export const somePrice = (input: { price?: unknown; price_data?: unknown }, context: z.RefinementCtx): void => {
  if (input.price === undefined && input.price_data === undefined) missing(context, ['price']);
};

export type PriceData = z.output<typeof oneTimePriceData> & Partial<Pick<z.output<typeof recurringPriceData>, 'recurring'>>;
