import { expect, test } from 'vitest';
import { decideNewItem, type NewItem } from '../../domain/invoicing/edit-item.ts';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import { decideDeletion, decideOneOff, type OneOff } from '../../domain/invoicing/one-off.ts';
import { decideAutoAdvance } from '../../domain/invoicing/set-auto-advance.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { createPaid, linesOf, renew } from '../support/subscribe.ts';

const AT = on('2025-01-31');

const oneOff = (book: MemoryBook, patch: Partial<OneOff> = {}) =>
  book.do(AT, (snapshot, context) =>
    decideOneOff(
      { ...snapshot, subscription: null },
      {
        id: 'in_own',
        customerId: 'cus_1',
        pendingItems: 'include',
        description: 'As agreed',
        footer: null,
        metadata: { po: '1' },
        ...patch,
      },
      context,
    ),
  );
const add = (book: MemoryBook, item: Partial<NewItem> & { id: string }) =>
  book.do(
    AT,
    (snapshot, context) =>
      decideNewItem({ ...snapshot, subscription: null }, { subscriptionId: null, invoiceId: null, currency: 'eur', ...item }, context),
    {
      ...(item.invoiceId == null ? {} : { invoiceId: item.invoiceId }),
    },
  );
const about = { invoiceId: 'in_own' };

test('a draft of what waits for the customer, finalised by hand', () => {
  const book = new MemoryBook();
  add(book, { id: 'ii_1', amount: 1000, taxRateIds: [book.taxRate('vat', '19')] });
  add(book, { id: 'ii_2', amount: -200, description: 'Rebate' });
  const decision = oneOff(book);
  expect(book.invoice('in_own')).toMatchObject({
    status: 'draft',
    subscriptionId: null,
    billingReason: 'manual',
    autoAdvance: false,
    automaticallyFinalizesAt: null,
    description: 'As agreed',
    metadata: { po: '1' },
    total: 990,
    currency: 'eur',
  });
  expect(decision.events.map(({ type }) => type)).toEqual(['invoice.created', 'invoiceitem.updated', 'invoiceitem.updated']);
  expect(book.customer.currency).toBe('eur');
  add(book, { id: 'ii_3', invoiceId: 'in_own', amount: 10, description: 'One more' });
  book.do(AT, (snapshot, context) => decideFinalization(snapshot, { autoAdvance: true }, context), about);
  expect(book.invoice('in_own')).toMatchObject({ status: 'open', autoAdvance: true, amountDue: 1000 });
  expect(linesOf(book.invoice('in_own'))).toEqual([' 1000', 'Rebate -200', 'One more 10']);
  expect(book.ledger('receivable')).toBe(1000);
});

test('an empty one, of a currency that is known or told', () => {
  const book = new MemoryBook();
  expect(() => oneOff(book, { pendingItems: 'exclude' })).toThrow(
    expect.objectContaining({ code: 'parameter_missing', param: 'currency' }),
  );
  oneOff(book, { pendingItems: 'exclude', currency: 'jpy' });
  expect(book.invoice('in_own')).toMatchObject({ lines: [], total: 0, currency: 'jpy' });
  expect(() => oneOff(book, { id: 'in_2', currency: 'eur' })).toThrow(expect.objectContaining({ code: 'currency_mismatch' }));
  expect(() => oneOff(book, { id: 'in_2' })).toThrow('Nothing to invoice');
});

test('deleted, its items wait again and are on the next invoice', () => {
  const book = new MemoryBook();
  book.price('pro', '3100');
  createPaid(book, on('2025-01-01'), ['pro']);
  add(book, { id: 'ii_1', amount: 1000, description: 'Waits' });
  oneOff(book);
  expect(book.pendingItems.get('ii_1')?.invoiceId).toBe('in_own');
  const { events } = book.do(AT, (snapshot, context) => decideDeletion(snapshot, context), about);
  expect(events.map(({ type }) => type)).toEqual(['invoice.deleted', 'invoiceitem.updated']);
  expect(book.allInvoices.map(({ id }) => id)).not.toContain('in_own');
  renew(book);
  expect(linesOf(book.lastInvoice)[0]).toBe('Waits 1000');
});

test('what is of a subscription, or final, is not deleted; what is of none does not go on by itself', () => {
  const book = new MemoryBook();
  book.account = { ...book.account, invoiceGraceSeconds: 3600 };
  book.price('pro', '3100');
  createPaid(book, on('2025-01-01'), ['pro']);
  renew(book);
  const draft = { invoiceId: book.lastInvoice.id };
  expect(() => book.do(on('2025-02-01') + 1, decideDeletion, draft)).toThrow('cannot be deleted');
  const first = { invoiceId: book.allInvoices[0]?.id ?? '' };
  expect(() => book.do(on('2025-02-01') + 1, decideDeletion, first)).toThrow('Only a draft');
  const loose = new MemoryBook();
  oneOff(loose, { pendingItems: 'exclude', currency: 'eur' });
  expect(() => loose.do(AT, (snapshot, context) => decideAutoAdvance(snapshot, { autoAdvance: true }, context), about)).toThrow(
    'No subscription',
  );
});
