import { describe, expect, it } from 'vitest';
import { invoiceFacts } from '../../activities/facts.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';

const invoice = (given: Partial<Invoice>): Invoice =>
  ({
    id: 'in_1',
    number: null,
    status: 'open',
    amountDue: 500,
    amountRemaining: 500,
    currency: 'eur',
    autoAdvance: true,
    automaticallyFinalizesAt: null,
    dueDate: null,
    overdueAt: null,
    subscriptionId: 'sub_1',
    taxStatus: 'complete',
    ...given,
  }) as Invoice;

describe('what a workflow is to do next with an invoice', () => {
  it.each([
    [{ status: 'draft', taxStatus: 'pending' }, 'calculate_tax'],
    [{ status: 'draft', taxStatus: 'complete' }, 'nothing'],
    [{ status: 'draft', taxStatus: 'pending', autoAdvance: false }, 'nothing'],
    [{ status: 'draft', taxStatus: 'complete', automaticallyFinalizesAt: 7200 }, 'finalize'],
    [{ status: 'draft', taxStatus: 'pending', automaticallyFinalizesAt: 7200 }, 'calculate_tax'],
    [{ status: 'open' }, 'collect'],
    [{ status: 'open', dueDate: 86_400 }, 'await_payment'],
    [{ status: 'open', dueDate: 86_400, autoAdvance: false }, 'nothing'],
    [{ status: 'open', dueDate: 86_400, autoAdvance: false, subscriptionId: null }, 'await_payment'],
    [{ status: 'open', dueDate: 86_400, subscriptionId: null, overdueAt: 86_400 }, 'nothing'],
    [{ status: 'open', dueDate: 86_400, subscriptionId: null, subscriptionIds: ['sub_1'], overdueAt: 86_400 }, 'await_payment'],
    [{ status: 'paid', dueDate: 86_400 }, 'nothing'],
    [{ status: 'open', amountRemaining: 0 }, 'nothing'],
    [{ status: 'open', autoAdvance: false }, 'nothing'],
    [{ status: 'paid', amountRemaining: 0 }, 'nothing'],
    [{ status: 'void' }, 'nothing'],
    [{ status: 'uncollectible' }, 'nothing'],
  ] as [Partial<Invoice>, string][])('%o: %s', (given, next) => {
    expect(invoiceFacts(invoice(given)).next).toBe(next);
  });

  it('its number is the one that was drawn while it was recorded', () => {
    expect(invoiceFacts(invoice({}), { in_1: 'A-0001', in_2: 'A-0002' }).number).toBe('A-0001');
    expect(invoiceFacts(invoice({ number: 'A-0000' }), {}).number).toBe('A-0000');
  });
});
