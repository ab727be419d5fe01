import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { toFailure, withFailures } from '../../activities/failures.ts';
import { REFUSAL_CODES, Refusal } from '../../domain/errors.ts';

describe('failures', () => {
  it.each(REFUSAL_CODES)('the refusal %s becomes a final failure of that type', (code) => {
    const failure = toFailure(new Refusal(code, 'No.', 'items[0][price]'));
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: code, nonRetryable: true, message: 'No.', details: [{ param: 'items[0][price]' }] });
  });

  it('a refusal without a parameter says null', () => {
    expect(toFailure(new Refusal('payment_failed', 'No.')).details).toEqual([{ param: null }]);
  });

  it('anything else is thrown on untouched, so that it is retried', async () => {
    const error = new Error('connection lost');
    await expect(withFailures(() => Promise.reject(error))).rejects.toBe(error);
    await expect(withFailures(() => Promise.resolve(7))).resolves.toBe(7);
    await expect(withFailures(() => Promise.reject(new Refusal('invoice_not_open', 'No.')))).rejects.toBeInstanceOf(ApplicationFailure);
  });
});
