import { afterAll, beforeAll, expect, it } from 'vitest';
import { calculateTax } from '../../activities/calculate-tax.ts';
import type { Deps } from '../../activities/deps.ts';
import { makeActivities } from '../../activities/make-activities.ts';
import { withAccount } from '../../db/client.ts';
import { updateCustomer } from '../../db/customers.ts';
import { findInvoice } from '../../db/invoices.ts';
import { findPrice, insertPrice } from '../../db/prices.ts';
import { fakeTaxCalculator, REFUSED_COUNTRY } from '../../gateways/tax/fake-external.ts';
import { taxCalculatorRegistry } from '../../gateways/tax/registry.ts';
import type { TaxCalculationRequest, TaxCalculator } from '../../gateways/tax/tax-calculator.ts';
import { ACCOUNT, ASOF, type BillingDesk, openBillingDesk } from './billing-desk.ts';

const calculator = fakeTaxCalculator();
let desk: BillingDesk;
beforeAll(async () => {
  desk = await openBillingDesk({ taxCalculator: calculator });
});
afterAll(() => desk?.close());

const input = (invoiceId: string, operationId = `tax:${invoiceId}`) => ({
  accountId: ACCOUNT,
  operationId,
  asOf: ASOF,
  actor: 'test',
  invoiceId,
});
const stored = (invoiceId: string) => withAccount(desk.deps.db, ACCOUNT, (t) => findInvoice(t, invoiceId));
const withCalculator = (given: TaxCalculator): Deps => ({ ...desk.deps, taxCalculators: taxCalculatorRegistry([given]) });

/** An engine that knows no tax and remembers what it was asked. */
function listen(): { asked: TaxCalculationRequest[]; listening: TaxCalculator } {
  const asked: TaxCalculationRequest[] = [];
  const calculate: TaxCalculator['calculate'] = async (request) => {
    asked.push(request);
    return request.lines.map(() => []);
  };
  return { asked, listening: { name: calculator.name, calculate } };
}

it('stores the taxes on the draft, which can then be finalised', async () => {
  const { invoice } = await desk.openInvoice('pm_card_visa', { country: 'DE' });
  expect(invoice).toMatchObject({ status: 'draft', next: 'calculate_tax' });
  const activities = makeActivities(desk.deps);
  await expect(activities.finalizeInvoice({ ...input(invoice.id, `early:${invoice.id}`) })).rejects.toMatchObject({
    type: 'transition_not_allowed',
  });

  expect(await activities.calculateTax(input(invoice.id))).toMatchObject({ status: 'draft', next: 'nothing' });
  expect(await stored(invoice.id)).toMatchObject({
    taxStatus: 'complete',
    tax: 228,
    total: 1428,
    lines: [{ taxes: [{ displayName: 'USt', percentage: '19', inclusive: false, taxableAmount: 1200, amount: 228 }] }],
  });
  const open = await activities.finalizeInvoice(input(invoice.id, `finalize:${invoice.id}`));
  expect(open).toMatchObject({ status: 'open', amountDue: 1428, next: 'collect' });
  expect(await desk.booked(invoice.id, 'tax_payable')).toBe(-228);
});

it('tells the engine what it needs and nothing of who the customer is', async () => {
  const { asked, listening } = listen();
  const { invoice } = await desk.openInvoice('pm_card_visa', { country: 'FR' });
  await calculateTax(withCalculator(listening))(input(invoice.id));
  expect(asked).toMatchObject([
    {
      invoiceId: invoice.id,
      currency: 'eur',
      sellerAddress: { country: 'DE' },
      customerAddress: { country: 'FR' },
      taxExempt: 'none',
      lines: [{ amount: 1200, taxBehavior: 'exclusive', productId: 'prod_1' }],
      asOf: ASOF,
    },
  ]);
  expect(JSON.stringify(asked)).not.toContain('Ada');
});

it('knows how a price is taxed that the subscription has left', async () => {
  const { asked, listening } = listen();
  const { invoice } = await desk.openInvoice('pm_card_visa');
  await withAccount(desk.deps.db, ACCOUNT, async (t) => {
    const price = await findPrice(t, 'price_1');
    if (!price) throw new Error('no price');
    await insertPrice(t, { ...price, id: 'price_left', taxBehavior: 'inclusive' });
    await t.run('update invoice_lines set price_id = $3 where account_id = $1 and invoice_id = $2', [ACCOUNT, invoice.id, 'price_left']);
  });
  await calculateTax(withCalculator(listening))(input(invoice.id));
  expect(asked[0]?.lines.map((line) => line.taxBehavior)).toEqual(['inclusive']);
});

it('leaves the draft as it is while the engine is away, and throws what Temporal retries', async () => {
  const { invoice } = await desk.openInvoice('pm_card_visa', { country: 'AT' });
  calculator.down(2);
  const { calculateTax: guarded } = makeActivities(desk.deps);
  for (const _ of [1, 2]) await expect(guarded(input(invoice.id))).rejects.toMatchObject({ name: 'TaxCalculatorUnavailable' });
  expect(await stored(invoice.id)).toMatchObject({ status: 'draft', taxStatus: 'pending', tax: 0 });
  await guarded(input(invoice.id));
  expect(await stored(invoice.id)).toMatchObject({ taxStatus: 'complete', tax: 240 });
  expect(calculator.calls(invoice.id)).toBe(3);
});

it('answers the same when it is repeated, without asking again', async () => {
  const { invoice } = await desk.openInvoice('pm_card_visa', { country: 'NL' });
  const first = await calculateTax(desk.deps)(input(invoice.id));
  expect(await calculateTax(desk.deps)(input(invoice.id))).toEqual(first);
  expect(calculator.calls(invoice.id)).toBe(1);
});

it('does not try again what the engine refuses, until it is asked for anew', async () => {
  const { invoice, customerId } = await desk.openInvoice('pm_card_visa', { country: REFUSED_COUNTRY });
  const { calculateTax: guarded } = makeActivities(desk.deps);
  await expect(guarded(input(invoice.id))).rejects.toMatchObject({ type: 'parameter_invalid', nonRetryable: true });
  await withAccount(desk.deps.db, ACCOUNT, (t) =>
    updateCustomer(t, customerId, { address: { line1: null, line2: null, city: null, state: null, postalCode: null, country: 'IE' } }),
  );
  await guarded(input(invoice.id));
  expect(await stored(invoice.id)).toMatchObject({ tax: 276 });
});

it('refuses an invoice that is no draft, and does not ask', async () => {
  const { invoice } = await desk.openInvoice('pm_card_visa', { country: 'DE' });
  const activities = makeActivities(desk.deps);
  await activities.calculateTax(input(invoice.id));
  await activities.finalizeInvoice(input(invoice.id, `finalize:${invoice.id}`));
  await expect(activities.calculateTax(input(invoice.id, `again:${invoice.id}`))).rejects.toMatchObject({ type: 'invoice_not_draft' });
  expect(calculator.calls(invoice.id)).toBe(1);
});

it('a draft is not finalised before its taxes, and that is not told as a refusal', async () => {
  const { invoice } = await desk.openInvoice('pm_card_visa', { country: 'DE' });
  const finalize = () => makeActivities(desk.deps).finalizeInvoice(input(invoice.id, `finalize:${invoice.id}`));
  const refusals = () =>
    withAccount(desk.deps.db, ACCOUNT, (t) =>
      t.run<{ code: string }>('select code from refused_commands where account_id = $1 and invoice_id = $2', [ACCOUNT, invoice.id]),
    );
  await expect(finalize()).rejects.toMatchObject({ type: 'transition_not_allowed' });
  expect((await refusals()).rows).toEqual([]);
  await calculateTax(desk.deps)(input(invoice.id));
  await finalize();
  await expect(makeActivities(desk.deps).finalizeInvoice(input(invoice.id, `again:${invoice.id}`))).rejects.toMatchObject({
    type: 'invoice_not_draft',
  });
  expect((await refusals()).rows).toEqual([{ code: 'invoice_not_draft' }]);
});

it('throws away an answer to a draft that has changed meanwhile', async () => {
  const { invoice } = await desk.openInvoice('pm_card_visa', { country: 'DE' });
  const slow: TaxCalculator = {
    name: calculator.name,
    calculate: async (request) => {
      await withAccount(desk.deps.db, ACCOUNT, (t) =>
        t.run('update invoice_lines set amount = amount + 1 where account_id = $1 and invoice_id = $2', [ACCOUNT, invoice.id]),
      );
      return calculator.calculate(request);
    },
  };
  await expect(calculateTax(withCalculator(slow))(input(invoice.id))).rejects.toThrow('changed while its taxes were calculated');
  expect(await stored(invoice.id)).toMatchObject({ taxStatus: 'pending' });
});
