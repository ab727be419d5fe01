import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectPayment } from '../../activities/collect-payment.ts';
import { resolvePayment } from '../../activities/resolve-payment.ts';
import { ACCOUNT, ASOF, type BillingDesk, gist, openBillingDesk } from './billing-desk.ts';

let desk: BillingDesk;
beforeAll(async () => {
  desk = await openBillingDesk();
});
afterAll(() => desk?.close());

const envelope = (operationId: string, asOf = ASOF) => ({ accountId: ACCOUNT, operationId, asOf, actor: 'test' });

test('D02: a checkout completed again while the provider is at it is one transaction, and settled twice it is paid once', async () => {
  const { invoice } = await desk.openInvoice('pm_usBankAccount_success');
  const complete = (operationId: string) =>
    collectPayment(desk.deps)({ ...envelope(operationId), invoiceId: invoice.id, paymentMethodId: null });
  const settle = (n: number) =>
    resolvePayment(desk.deps)({ ...envelope(`settle:${invoice.id}:${n}`, ASOF + 3 * 86_400), invoiceId: invoice.id });

  expect(gist(await complete(`checkout:${invoice.id}`))).toMatchObject({ outcome: 'processing', attemptNumber: 1 });
  expect(gist(await complete(`checkout:${invoice.id}`))).toMatchObject({ outcome: 'processing', attemptNumber: 1 });
  await expect(complete(`checkout-again:${invoice.id}`)).rejects.toMatchObject({ code: 'payment_in_progress' });
  expect(await desk.attemptsOf(invoice.id)).toHaveLength(1);

  expect(gist(await settle(1))).toMatchObject({ outcome: 'paid', invoice: 'paid' });
  expect(await settle(2)).toMatchObject({ outcome: 'paid', invoice: { status: 'paid', amountRemaining: 0 } });
  expect(await desk.sandbox.capturesOf(invoice.id)).toHaveLength(1);
  expect(await desk.booked(invoice.id, 'cash:sandbox')).toBe(1200);
});
