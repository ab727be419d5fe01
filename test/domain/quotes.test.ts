import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../domain/errors.ts';
import { scheduleOffered, withAcceptance } from '../../domain/quote/accept-quote.ts';
import { priceQuote, subscriptionOffered } from '../../domain/quote/price-quote.ts';
import { asOfTime, isExpired, type Quote } from '../../domain/quote/quote.ts';
import { drawQuoteTransitions, nextQuoteStatus, QUOTE_EVENTS, QUOTE_STATUSES, QUOTE_TRANSITIONS } from '../../domain/quote/transitions.ts';
import { decideCreation } from '../../domain/subscription/create-subscription.ts';
import { aQuote } from '../api/examples.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { payAll, renew } from '../support/subscribe.ts';

const JAN_31 = on('2025-01-31');
const line = (priceId: string, quantity = '1', patch: Partial<Quote['lines'][number]> = {}): Quote['lines'][number] => ({
  ...{ id: `li_${priceId}`, itemId: `si_${priceId}`, priceId, quantity, taxRateIds: [], discounts: [] },
  ...patch,
});
const quoteOf = (lines: Quote['lines'], patch: Partial<Quote> = {}): Quote =>
  aQuote({ lines, expiresAt: on('2025-03-01'), defaultTaxRateIds: [], status: 'open', ...patch });

function newBook(): MemoryBook {
  const book = new MemoryBook();
  book.price('seat', '1000');
  book.price('setup', '5000', null);
  book.taxRate('vat', '20');
  return book;
}

function refusal(work: () => unknown): { code: string; param: string | undefined } {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('what it comes to', () => {
  test.each<[string, Partial<Quote>]>([
    ['taxed', { defaultTaxRateIds: ['vat'] }],
    ['on trial', { trialPeriodDays: 14 }],
    ['as it is', {}],
  ])('is what is then billed, %s', (_, patch) => {
    const book = newBook();
    const quote = quoteOf([line('seat', '3'), line('setup')], patch);
    const { currency, amounts } = priceQuote(book.snapshot(), quote, book.context(JAN_31));
    book.do(JAN_31, (snapshot, context) => decideCreation(snapshot, subscriptionOffered(quote, snapshot), context));
    payAll(book, JAN_31);
    const first = book.lastInvoice;
    renew(book);
    expect([currency, amounts.upfront.total, amounts.recurring?.total]).toEqual(['eur', first.total, book.lastInvoice.total]);
    expect(amounts.upfront.tax).toBe(first.tax);
    expect(amounts.lines['li_seat']?.subtotal).toBe(3000);
    expect(amounts.lines['li_setup']?.subtotal).toBe(5000);
    expect(amounts.recurring?.cycle).toEqual({ interval: 'month', intervalCount: 1 });
  });

  test('nothing else of the customer is on it, and the date of its start is the date of its prices', () => {
    const book = newBook();
    const { amounts } = priceQuote(book.snapshot(), quoteOf([line('seat')], { effectiveDate: on('2025-02-15') }), book.context(JAN_31));
    expect(amounts).toMatchObject({ upfront: { total: 1000 }, recurring: { total: 1000 } });
  });

  test.each<[string, Quote['lines'], string, string]>([
    ['nothing that recurs', [line('setup')], 'parameter_invalid', 'line_items'],
    ['an unknown price', [line('seat'), line('none')], 'resource_missing', 'line_items[1][price]'],
    ['one price twice', [line('seat'), line('seat', '1', { id: 'li_2', itemId: 'si_2' })], 'item_duplicate_price', 'line_items[1][price]'],
    ['half a seat', [line('seat', '0.5')], 'parameter_invalid', 'line_items[0][quantity]'],
    [
      'a discount on something sold once',
      [line('seat'), line('setup', '1', { discounts: [{ couponId: 'c' }] })],
      'parameter_invalid',
      'line_items[1][discounts]',
    ],
  ])('refuses %s', (_, lines, code, param) => {
    const book = newBook();
    expect(refusal(() => priceQuote(book.snapshot(), quoteOf(lines), book.context(JAN_31)))).toEqual({ code, param });
  });
});

describe('acceptance', () => {
  test('creates the subscription and settles the quote in one decision', () => {
    const book = newBook();
    const quote = quoteOf([line('seat')], { subscriptionMetadata: { deal: '7' }, subscriptionDescription: 'Seats' });
    const snapshot = book.snapshot();
    const decision = decideCreation(snapshot, subscriptionOffered(quote, snapshot), book.context(JAN_31));
    const accepted = withAcceptance(snapshot, quote, decision, JAN_31);
    expect(accepted.subscription).toMatchObject({ id: quote.subscriptionId, metadata: { deal: '7' }, description: 'Seats' });
    expect(accepted.quote).toMatchObject({
      status: 'accepted',
      acceptedAt: JAN_31,
      accepted: { by: 'subscription', invoiceId: decision.invoices[0]?.id },
    });
    expect(accepted.events.at(-1)).toMatchObject({ type: 'quote.accepted', objectId: quote.id });
    const again = subscriptionOffered(quote, snapshot);
    expect(again).toEqual(subscriptionOffered(quote, book.snapshot()));
  });

  test.each<[string, Partial<Quote>]>([
    ['a draft', { status: 'draft' }],
    ['canceled', { status: 'canceled', canceledAt: JAN_31 }],
    ['accepted', { status: 'accepted', acceptedAt: JAN_31 }],
    ['expired to the second', { expiresAt: JAN_31 }],
  ])('refuses what is %s', (_, patch) => {
    const book = newBook();
    const quote = quoteOf([line('seat')], patch);
    const snapshot = book.snapshot();
    const decision = decideCreation(snapshot, subscriptionOffered(quote, snapshot), book.context(JAN_31));
    expect(refusal(() => withAcceptance(snapshot, quote, decision, JAN_31)).code).toBe('transition_not_allowed');
  });

  test('with a date to come it is a schedule with all that it offers but a trial and a description', () => {
    const book = newBook();
    const effectiveDate = on('2025-02-15');
    const lines = [line('seat', '2', { discounts: [{ couponId: 'own' }] }), line('setup')];
    const terms = {
      subscriptionMetadata: { a: '1' },
      discounts: [{ couponId: 'c' }],
      collectionMethod: 'send_invoice',
      daysUntilDue: 10,
    } as const;
    const offered = scheduleOffered(quoteOf(lines, { effectiveDate, ...terms, discounts: [...terms.discounts] }), book.snapshot());
    expect(offered).toMatchObject({
      start: effectiveDate,
      endBehavior: 'release',
      phases: [
        {
          items: [{ priceId: 'seat', quantity: '2', discounts: [{ couponId: 'own' }] }],
          ...{ addInvoiceItems: [{ priceId: 'setup', quantity: '1' }], discounts: [{ couponId: 'c' }] },
          ...{ collectionMethod: 'send_invoice', daysUntilDue: 10, metadata: { a: '1' } },
        },
      ],
    });
    for (const patch of [{ trialPeriodDays: 5 }, { subscriptionDescription: 'x' }] as Partial<Quote>[]) {
      const clash = quoteOf([line('seat')], { effectiveDate, ...patch });
      expect(refusal(() => scheduleOffered(clash, book.snapshot())).param).toBe('subscription_data[effective_date]');
    }
  });
});

describe('its end', () => {
  test('counts from its second on, whether or not it is written', () => {
    const quote = quoteOf([line('seat')]);
    expect([isExpired(quote, quote.expiresAt - 1), isExpired(quote, quote.expiresAt)]).toEqual([false, true]);
    expect(asOfTime(quote, quote.expiresAt)).toMatchObject({ status: 'canceled', canceledAt: quote.expiresAt });
    const accepted = quoteOf([], { status: 'accepted' });
    expect(asOfTime(accepted, accepted.expiresAt)).toBe(accepted);
  });

  test('every event of every status is decided, and the page draws it', async () => {
    for (const from of QUOTE_STATUSES) {
      for (const event of QUOTE_EVENTS) {
        const to = QUOTE_TRANSITIONS[from][event];
        if (to === undefined) expect(() => nextQuoteStatus('qt_1', from, event)).toThrow(Refusal);
        else expect(nextQuoteStatus('qt_1', from, event)).toBe(to);
      }
    }
    expect(await readFile(new URL('../../docs/quotes.md', import.meta.url), 'utf8')).toContain(drawQuoteTransitions());
  });
});
