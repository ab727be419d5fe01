import { z } from './zod.ts';

export const errorAnswer = z
  .strictObject({
    error: z.strictObject({
      type: z.enum(['invalid_request_error', 'idempotency_error', 'card_error', 'api_error']),
      message: z.string(),
      code: z.string().optional(),
      param: z.string().optional(),
      decline_code: z.string().optional(),
    }),
  })
  .openapi('Error');
