import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import {
  bookCreditToOpenInvoice,
  bookFinalization,
  bookPayment,
  bookPaymentToBalance,
  bookUncollectible,
  bookVoid,
  expectedReceivable,
} from '../../domain/ledger/book.ts';
import type { JournalTransaction } from '../../domain/ledger/journal.ts';
import { attemptOf, context, invoiceOf, ledgerSum } from './payment-facts.ts';

const entriesOf = (journal: JournalTransaction[]) =>
  journal.map(({ entries }) => Object.fromEntries(entries.map(({ ledgerAccount, amount }) => [ledgerAccount, amount])));

/** An invoice as finalised: the customer's balance applied as far as it goes. */
const finalised = (net: number, tax: number, startingBalance: number, patch: Partial<Invoice> = {}): Invoice => {
  const total = net + tax;
  const endingBalance = total < 0 ? startingBalance + total : Math.min(0, startingBalance + total);
  const amountDue = total < 0 ? 0 : total + startingBalance - endingBalance;
  return invoiceOf({
    tax,
    total,
    totalExcludingTax: net,
    startingBalance,
    endingBalance,
    amountDue,
    amountRemaining: amountDue,
    status: amountDue === 0 ? 'paid' : 'open',
    ...patch,
  });
};

describe('finalising', () => {
  test('debits the receivable, credits deferred revenue and tax', () => {
    expect(entriesOf(bookFinalization(finalised(1000, 200, 0), context()))).toEqual([
      { receivable: 1200, deferred_revenue: -1000, tax_payable: -200 },
    ]);
  });

  test('a credit on the balance pays part of it, a debt adds to it', () => {
    expect(entriesOf(bookFinalization(finalised(1000, 200, -500), context()))).toEqual([
      { receivable: 700, customer_balance: 500, deferred_revenue: -1000, tax_payable: -200 },
    ]);
    expect(entriesOf(bookFinalization(finalised(1000, 200, 300), context()))).toEqual([
      { receivable: 1500, customer_balance: -300, deferred_revenue: -1000, tax_payable: -200 },
    ]);
  });

  test('a negative invoice is the reverse and gives the balance its credit', () => {
    expect(entriesOf(bookFinalization(finalised(-1000, -200, 0), context()))).toEqual([
      { customer_balance: -1200, deferred_revenue: 1000, tax_payable: 200 },
    ]);
  });

  test('nothing to book is no transaction', () => {
    expect(bookFinalization(finalised(0, 0, 0), context())).toEqual([]);
  });

  test('contradicting amounts are a bug and never booked', () => {
    expect(() => bookFinalization(finalised(1000, 200, 0, { amountDue: 1199 }), context())).toThrow(/amount due/);
    expect(() => bookFinalization(finalised(1000, 200, 0, { totalExcludingTax: 999 }), context())).toThrow(/out of balance/);
    expect(() => bookFinalization(finalised(1000, 200, 0, { endingBalance: null }), context())).toThrow(/not finalised/);
  });
});

test('a payment moves the receivable to the cash of its gateway', () => {
  const [payment] = bookPayment(invoiceOf(), attemptOf(), context(7));
  expect(payment).toMatchObject({
    kind: 'payment',
    currency: 'eur',
    invoiceId: 'in_1',
    paymentAttemptId: 'pa_1',
    customerId: 'cus_1',
    effectiveAt: 7,
  });
  expect(entriesOf(payment ? [payment] : [])).toEqual([{ 'cash:sandbox': 1200, receivable: -1200 }]);
});

test('a payment of what was written off recovers the bad debt', () => {
  const journal = [
    ...bookUncollectible(invoiceOf(), context()),
    ...bookPayment(invoiceOf({ status: 'uncollectible' }), attemptOf(), context()),
  ];
  expect([ledgerSum(journal, 'bad_debt'), ledgerSum(journal, 'receivable'), ledgerSum(journal, 'cash:sandbox')]).toEqual([0, -1200, 1200]);
});

test('a payment that nobody owes any more is the customer’s', () => {
  expect(entriesOf(bookPaymentToBalance(invoiceOf({ status: 'void' }), attemptOf(), context()))).toEqual([
    { 'cash:sandbox': 1200, customer_balance: -1200 },
  ]);
});

test('a credit against an open invoice never stays on the balance, and each receivable can be read by its invoice', () => {
  const open = finalised(1000, 200, 0);
  const credit = finalised(-600, -120, 0, { id: 'in_2', endingBalance: 0 });
  const journal = [
    ...bookFinalization(open, context()),
    ...bookFinalization(credit, context()),
    ...bookCreditToOpenInvoice(credit, open, 720, context()),
  ];
  expect(ledgerSum(journal, 'receivable', 'in_1')).toBe(480);
  expect(ledgerSum(journal, 'receivable', 'in_2')).toBe(0);
  expect(ledgerSum(journal, 'customer_balance')).toBe(0);
  expect(ledgerSum(journal, 'deferred_revenue')).toBe(-400);
});

test('voiding a partly credited invoice reverses only what the credit had left', () => {
  const open = finalised(1000, 200, 0);
  const credited = { ...open, amountCredited: 720, amountRemaining: 480 };
  const credit = finalised(-600, -120, 0, { id: 'in_2', endingBalance: 0 });
  const journal = [
    ...bookFinalization(open, context()),
    ...bookFinalization(credit, context()),
    ...bookCreditToOpenInvoice(credit, open, 720, context()),
    ...bookVoid(credited, context()),
  ];
  for (const account of ['receivable', 'deferred_revenue', 'tax_payable', 'customer_balance'] as const)
    expect(ledgerSum(journal, account)).toBe(0);
});

test('voiding what was written off takes the bad debt back', () => {
  const invoice = finalised(1000, 200, -500);
  const journal = [
    ...bookFinalization(invoice, context()),
    ...bookUncollectible(invoice, context()),
    ...bookVoid({ ...invoice, status: 'uncollectible' }, context()),
  ];
  for (const account of ['receivable', 'bad_debt', 'deferred_revenue', 'tax_payable', 'customer_balance'] as const)
    expect(ledgerSum(journal, account)).toBe(0);
});

test('property: through any life, the receivable of an invoice is what remains of it and customer_balance is the customer’s balance', () => {
  const ends = fc.constantFrom('open', 'paid', 'void', 'uncollectible', 'recovered');
  const nets = fc.integer({ min: -100_000, max: 100_000 });
  fc.assert(
    fc.property(
      nets,
      fc.integer({ min: 0, max: 25 }),
      fc.integer({ min: -100_000, max: 100_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      ends,
      (net, percent, balance, part, end) => {
        const ctx = context();
        let invoice = finalised(net, Math.round((net * percent) / 100) + 0, balance);
        const journal = bookFinalization(invoice, ctx);
        let customerBalance = invoice.endingBalance ?? 0;
        const holds = () => {
          expect(ledgerSum(journal, 'receivable', 'in_1')).toBe(expectedReceivable(invoice));
          expect(ledgerSum(journal, 'customer_balance') + balance).toBe(customerBalance);
          for (const { entries } of journal) expect(entries.reduce((total, entry) => total + entry.amount, 0)).toBe(0);
        };
        holds();
        if (invoice.status !== 'open') return;
        const amount = Math.floor(invoice.amountRemaining * part);
        const credit = finalised(-amount, 0, customerBalance, { id: 'in_2', endingBalance: customerBalance });
        journal.push(...bookFinalization(credit, ctx), ...bookCreditToOpenInvoice(credit, invoice, amount, ctx));
        invoice = { ...invoice, amountCredited: amount, amountRemaining: invoice.amountRemaining - amount };
        holds();
        expect(ledgerSum(journal, 'receivable', 'in_2')).toBe(0);
        if (end === 'paid') {
          journal.push(...bookPayment(invoice, attemptOf({ amount: invoice.amountRemaining }), ctx));
          invoice = { ...invoice, status: 'paid', amountPaid: invoice.amountRemaining, amountRemaining: 0 };
        }
        if (end === 'void') {
          journal.push(...bookVoid(invoice, ctx));
          customerBalance += invoice.startingBalance - (invoice.endingBalance ?? 0);
          invoice = { ...invoice, status: 'void' };
        }
        if (end === 'uncollectible' || end === 'recovered') {
          journal.push(...bookUncollectible(invoice, ctx));
          invoice = { ...invoice, status: 'uncollectible' };
          expect(ledgerSum(journal, 'bad_debt')).toBe(invoice.amountRemaining);
        }
        if (end === 'recovered') {
          journal.push(...bookPayment(invoice, attemptOf({ amount: invoice.amountRemaining }), ctx));
          invoice = { ...invoice, status: 'paid', amountPaid: invoice.amountRemaining, amountRemaining: 0 };
          expect(ledgerSum(journal, 'bad_debt')).toBe(0);
        }
        holds();
      },
    ),
    { numRuns: 400 },
  );
});
