import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withAccount } from '../../db/client.ts';
import { findInvoice } from '../../db/invoices.ts';
import { anInvoice, START } from './examples.ts';
import { type Api, refused, seed, startApi, write } from './harness.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await seed(api.db, 'acct_1');
});
beforeEach(() => {
  for (const command of Object.values(api.commands)) command.mockClear();
});
afterAll(() => api.stop());

describe('invoices', () => {
  const facts = {
    id: 'in_1',
    number: 'EX-1',
    status: 'open' as const,
    amountDue: 2856,
    amountRemaining: 2856,
    currency: 'eur',
    next: 'nothing' as const,
  };
  const paymentOf = (outcome: 'paid' | 'declined' | 'unknown' | 'no_payment_method' | 'requires_action') => ({
    invoice: facts,
    payment: {
      outcome,
      attemptNumber: 1,
      attemptId: null,
      declineCode: outcome === 'declined' ? 'lost_card' : null,
      invoice: facts,
      subscription: null,
    },
  });
  it('reads them with lines, attempts and explanation', async () => {
    const invoice = await api.stripe.invoices.retrieve('in_1', {
      expand: ['payment_attempts', 'parent.subscription_details.subscription', 'lines.data.pricing.price_details.price'],
    });
    expect(invoice).toMatchObject({
      object: 'invoice',
      total: 2856,
      payment_attempts: { object: 'list', data: [] },
      parent: { subscription_details: { subscription: { id: 'sub_1' } } },
      lines: { data: [{ explanation: { sentence: '2 × EUR 12.00' }, pricing: { price_details: { price: { id: 'price_1' } } } }] },
      total_taxes: [{ amount: 456, tax_rate_details: { tax_rate: 'txr_1' } }],
    });
    expect((await api.stripe.invoices.listLineItems('in_1')).data).toHaveLength(1);
    expect((await api.stripe.invoices.list({ subscription: 'sub_1', status: 'open' })).data.map(({ id }) => id)).toEqual(['in_1']);
  });
  it('sends commands to the workflow of the invoice', async () => {
    api.commands.commandInvoice.mockImplementation(async () => ({ invoice: facts, payment: null }));
    await api.stripe.invoices.finalizeInvoice('in_1');
    await api.stripe.invoices.voidInvoice('in_1');
    await api.stripe.invoices.markUncollectible('in_1');
    expect(api.commands.commandInvoice.mock.calls.map(([start, command]) => [start, command.do])).toEqual(
      ['finalize', 'void', 'mark_uncollectible'].map((deed) => [
        { accountId: 'acct_1', invoiceId: 'in_1', subscriptionId: 'sub_1', customerId: 'cus_1' },
        deed,
      ]),
    );
  });
  it.each([
    ['declined', { statusCode: 402, code: 'card_declined', decline_code: 'lost_card' }],
    ['requires_action', { statusCode: 402, code: 'invoice_payment_intent_requires_action' }],
    ['no_payment_method', { statusCode: 400, code: 'resource_missing', param: 'payment_method' }],
    ['unknown', { statusCode: 503 }],
  ] as const)('tells a payment that is %s', async (outcome, expected) => {
    api.commands.commandInvoice.mockImplementationOnce(async () => paymentOf(outcome));
    expect(await refused(api.stripe.invoices.pay('in_1', { payment_method: 'pm_1' }))).toMatchObject(expected);
  });
  it('answers a paid one with the invoice', async () => {
    api.commands.commandInvoice.mockImplementationOnce(async (_, command) => {
      const open = (await withAccount(api.db, 'acct_1', (t) => findInvoice(t, 'in_1'))) ?? anInvoice();
      const paid = anInvoice({ ...open, status: 'paid', amountPaid: 2856, amountRemaining: 0, paidAt: START + 5 });
      await write(api.db, 'acct_1', { invoices: [paid] }, command.operationId);
      return paymentOf('paid');
    });
    expect(await api.stripe.invoices.pay('in_1')).toMatchObject({
      status: 'paid',
      amount_paid: 2856,
      status_transitions: { paid_at: START + 5 },
    });
  });
});
