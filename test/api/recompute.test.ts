import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { recomputation } from '../../api/schemas/recomputations.ts';
import { withAccount } from '../../db/client.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import { fakeTaxCalculator, REFUSED_COUNTRY } from '../../gateways/tax/fake-external.ts';
import type { TaxCalculator } from '../../gateways/tax/tax-calculator.ts';
import { aLine, anInvoice, START } from './examples.ts';
import { type Api, seed, startApi, write } from './harness.ts';
import { withoutTemporal } from './without-temporal.ts';

const now = START;
let api: Api;
const engine = fakeTaxCalculator();
const silent: TaxCalculator = { name: 'silent', calculate: () => new Promise(() => {}) };
beforeAll(async () => {
  api = await startApi(() => now, [engine, silent]);
  await seed(api.db, 'acct_1');
  withoutTemporal(api, () => now);
});
afterAll(() => api.stop());

async function newInvoice(payment_behavior: 'allow_incomplete' | 'default_incomplete'): Promise<Stripe.Invoice> {
  const customer = await api.stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  const items = [{ price: 'price_1', quantity: 2, tax_rates: ['txr_1'] }];
  const subscription = await api.stripe.subscriptions.create({
    customer: customer.id,
    items,
    payment_behavior,
    expand: ['latest_invoice'],
  });
  return subscription.latest_invoice as Stripe.Invoice;
}
const sql = (text: string, ...values: unknown[]) => withAccount(api.db, 'acct_1', (t) => t.run(text, values));

/** Checked against its own schema; nothing is written by asking. */
async function recompute(id: string, body = ''): Promise<z.output<typeof recomputation>> {
  const before = await api.countRows();
  const state = async () => (await sql('select to_jsonb(i) as row from invoices i where id = $1', id)).rows;
  const invoice = await state();
  const answer = await api.request('POST', `/v1/invoices/${id}/recompute`, { body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect(await api.countRows()).toEqual(before);
  expect(await state()).toEqual(invoice);
  return recomputation.parse(answer.body);
}

it("proposes the credit note of today's inputs, in Stripe's shape, and writes nothing", async () => {
  const paid = await newInvoice('allow_incomplete');
  expect(await recompute(paid.id!)).toMatchObject({ difference: 0, differences: [], credit_note: null, invoice_items: [] });
  const open = await newInvoice('default_incomplete');
  await sql(`update prices set unit_amount_decimal = '1000' where id = 'price_1'`);
  try {
    const answer = await recompute(paid.id!, 'expand[]=invoice');
    expect(answer).toMatchObject({
      object: 'invoice_recomputation',
      invoice: { id: paid.id, total: 2856 },
      difference: -476,
      recomputed: { total: 2380, lines: [{ amount: 2000 }] },
      differences: [
        {
          invoice_line_item: paid.lines.data[0]!.id,
          ...{ amount: 2400, amount_recomputed: 2000, tax: 456, tax_recomputed: 380, difference: -476 },
          reasons: ['The price price_1 is EUR 10.00 and was EUR 12.00 when this was billed.', 'The tax follows the amount.'],
        },
      ],
      credit_note: {
        object: 'credit_note',
        ...{ amount: 476, subtotal: 400, total: 476, total_excluding_tax: 400, type: 'post_payment' },
        ...{ pre_payment_amount: 0, post_payment_amount: 476 },
        lines: {
          data: [{ amount: 400, invoice_line_item: paid.lines.data[0]!.id, taxes: [{ amount: 76 }], tax_rates: [{ id: 'txr_1' }] }],
        },
        total_taxes: [{ amount: 76, taxable_amount: 400 }],
      },
      invoice_items: [],
    });
    expect((await recompute(open.id!)).credit_note).toMatchObject({ type: 'pre_payment', pre_payment_amount: 476, post_payment_amount: 0 });
    await sql(`update prices set unit_amount_decimal = '1300' where id = 'price_1'`);
    const dearer = await recompute(paid.id!);
    expect(dearer).toMatchObject({
      difference: 238,
      credit_note: null,
      invoice_items: [
        { object: 'invoiceitem', amount: 200, total: 238, taxes: [{ amount: 38 }], quantity: 1, tax_rates: [{ id: 'txr_1' }] },
      ],
    });
  } finally {
    await sql(`update prices set unit_amount_decimal = '1200' where id = 'price_1'`);
  }
});

it('sees who has become exempt since', async () => {
  const paid = await newInvoice('allow_incomplete');
  await api.stripe.customers.update(paid.customer as string, { tax_exempt: 'reverse' });
  const { credit_note: note, differences } = await recompute(paid.id!);
  expect(note).toMatchObject({ amount: 456, subtotal: 0, total_taxes: [{ amount: 456 }] });
  expect(differences[0]!.reasons).toEqual(["The customer's tax_exempt is reverse now."]);
});

describe('taxes of an external engine', () => {
  /** An invoice of 24.00 and 19 % German tax, as that engine had it. */
  async function taxedBy({ name }: TaxCalculator, patch: Partial<Invoice> = {}): Promise<string> {
    const id = `in_${name}_${++made}`;
    const taxes = [{ taxRateId: null, displayName: 'USt', percentage: '19', inclusive: false, taxableAmount: 2400, amount: 456 }];
    const lines = [aLine({ id: `il_${id}`, taxes })];
    await write(api.db, 'acct_1', { invoices: [anInvoice({ id, number: null, lines, taxes, taxCalculator: name, ...patch })] });
    return id;
  }
  let made = 0;
  const livesIn = (country: string) => api.stripe.customers.update('cus_1', { address: { country } });
  const paid = { status: 'paid', amountPaid: 2856, amountRemaining: 0, paidAt: START } as const;
  const ask = (id: string) => api.request('POST', `/v1/invoices/${id}/recompute`, { body: '' });

  it('are asked for as they would be today, and the difference becomes a credit note; nothing is recorded anywhere', async () => {
    const id = await taxedBy(engine, paid);
    await livesIn('DE');
    expect(await recompute(id)).toMatchObject({ difference: 0, differences: [], credit_note: null, invoice_items: [] });
    await livesIn('CH');
    expect(await recompute(id)).toMatchObject({
      difference: -262,
      recomputed: { total: 2594, total_taxes: [{ amount: 194, taxable_amount: 2400, tax_rate_details: null }] },
      differences: [{ tax: 456, tax_recomputed: 194, reasons: ['It would be taxed with MWST 8.1 % instead of USt 19 %.'] }],
      credit_note: { amount: 262, subtotal: 0, type: 'post_payment', post_payment_amount: 262, lines: { data: [{ amount: 0 }] } },
      invoice_items: [],
    });
    await livesIn('IE');
    expect(await recompute(id)).toMatchObject({ difference: 96, credit_note: null, invoice_items: [{ amount: 0, total: 96 }] });
    expect(engine.calls(id)).toBe(3);
    expect(engine.recorded()).toEqual([]);
  });

  it('that do not come are a 503 to try again, those that cannot be a 400, and none of it writes anything', async () => {
    const unavailable = { error: { type: 'api_error', code: 'taxes_calculation_failed' } };
    const [away, slow] = [await taxedBy(engine, paid), await taxedBy(silent, paid)];
    const before = await api.countRows();
    engine.down(1);
    for (const id of [away, slow]) {
      const answer = await ask(id);
      expect(answer).toMatchObject({ status: 503, body: unavailable });
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    expect((await ask(away)).status).toBe(200);
    expect(await api.countRows()).toEqual(before);
    await livesIn(REFUSED_COUNTRY);
    expect(await ask(away)).toMatchObject({ status: 400, body: { error: { param: 'address[country]' } } });
    await livesIn('DE');
  });
});

it('refuses a draft, a void one, and taxes that are not its own', async () => {
  const { id } = await newInvoice('default_incomplete');
  const theirs = anInvoice({ id: 'in_theirs', number: null, lines: [aLine({ id: 'il_theirs' })], taxCalculator: 'elsewhere' });
  await write(api.db, 'acct_1', { invoices: [theirs] });
  const refusal = async (id: string | undefined) => (await api.request('POST', `/v1/invoices/${id}/recompute`, { body: '' })).body['error'];
  await sql(`update invoices set status = 'void', voided_at = to_timestamp($2) where id = $1`, id, now);
  expect(await refusal(theirs.id)).toMatchObject({ code: 'invoice_not_recomputable', message: /elsewhere, which this server cannot ask/ });
  expect(await refusal(id)).toMatchObject({ type: 'invalid_request_error', code: 'invoice_not_open', message: /this one is void/ });
});
