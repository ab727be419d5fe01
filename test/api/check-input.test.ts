import { describe, expect, it } from 'vitest';
import { checkInput } from '../../api/check-input.ts';
import { ApiError } from '../../api/errors.ts';
import { parseForm } from '../../api/parse-form.ts';
import { customerCreate, customerUpdate } from '../../api/schemas/customers.ts';
import { eventList } from '../../api/schemas/events.ts';
import { mergeMetadata } from '../../api/schemas/fields.ts';
import { invoicePreview } from '../../api/schemas/invoice-preview.ts';
import { invoiceList } from '../../api/schemas/invoices.ts';
import { priceCreate } from '../../api/schemas/prices.ts';
import { subscriptionCreate, subscriptionUpdate } from '../../api/schemas/subscriptions.ts';
import { taxRateCreate } from '../../api/schemas/tax-rates.ts';
import type { z } from '../../api/schemas/zod.ts';

const form = <S extends z.ZodType>(schema: S, text: string): z.output<S> => checkInput(schema, { textual: true, values: parseForm(text) });
const json = <S extends z.ZodType>(schema: S, values: Record<string, unknown>): z.output<S> =>
  checkInput(schema, { textual: false, values });

function refusal(call: () => unknown): { status: number; code: string | undefined; param: string | undefined; message: string } {
  try {
    call();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, param, message } = error.body.error;
    return { status: error.status, code, param, message };
  }
  throw new Error('was not refused');
}

const PRICE = 'product=prod_1&currency=eur&unit_amount=100';

describe('forms become what the schema asks for', () => {
  it('integers, booleans, lists, hashes and defaults', () => {
    const input = form(
      subscriptionCreate,
      'customer=cus_1&items[0][price]=price_1&items[0][quantity]=3&cancel_at_period_end=true&metadata[7]=x&expand[]=latest_invoice',
    );
    expect(input).toMatchObject({
      customer: 'cus_1',
      items: [{ price: 'price_1', quantity: 3 }],
      cancel_at_period_end: true,
      payment_behavior: 'allow_incomplete',
      metadata: { 7: 'x' },
      expand: ['latest_invoice'],
    });
  });
  it('an empty value unsets what may be unset', () => {
    expect(
      form(customerUpdate, 'name=&email=&metadata=&default_tax_rates=&invoice_settings[default_payment_method]=&address[line2]='),
    ).toMatchObject({
      name: null,
      email: null,
      metadata: null,
      default_tax_rates: null,
      invoice_settings: { default_payment_method: null },
      address: { line2: null },
    });
    expect(form(subscriptionUpdate, 'cancel_at=').cancel_at).toBeNull();
  });
  it('a number or text where either may stand', () => {
    expect(form(taxRateCreate, 'display_name=VAT&percentage=8.25&inclusive=false').percentage).toBe('8.25');
    expect(json(taxRateCreate, { display_name: 'VAT', percentage: 8.25, inclusive: false }).percentage).toBe('8.25');
    expect(form(priceCreate, 'product=prod_1&currency=EUR&unit_amount_decimal=010.50')).toMatchObject({
      unit_amount_decimal: '10.5',
      currency: 'eur',
    });
    expect(form(invoiceList, 'created[gte]=5&created[lt]=9').created).toEqual({ gte: 5, lt: 9 });
    expect(form(invoiceList, 'created=5').created).toBe(5);
  });
});

describe('refusals name the parameter as Stripe does', () => {
  it.each<[string, () => unknown, string, string | undefined]>([
    ['unknown', () => form(customerCreate, 'nmae=Ada'), 'parameter_unknown', 'nmae'],
    [
      'Stripe has it, we do not',
      () => form(subscriptionCreate, 'customer=c&items[0][price]=p&trial_from_plan=true'),
      'parameter_unknown',
      'trial_from_plan',
    ],
    [
      'unknown inside',
      () => form(subscriptionCreate, 'customer=c&items[0][price]=p&items[0][plan][currency]=eur'),
      'parameter_unknown',
      'items[0][plan]',
    ],
    ['unknown is told before missing', () => form(subscriptionCreate, 'custmer=c'), 'parameter_unknown', 'custmer'],
    ['missing', () => form(subscriptionCreate, 'items[0][price]=p'), 'parameter_missing', 'customer'],
    ['missing inside', () => form(subscriptionCreate, 'customer=c&items[0][quantity]=1'), 'parameter_missing', 'items[0][price]'],
    ['exponent', () => form(priceCreate, 'product=p&currency=eur&unit_amount=1e3'), 'parameter_invalid_integer', 'unit_amount'],
    ['fraction', () => form(priceCreate, 'product=p&currency=eur&unit_amount=1.5'), 'parameter_invalid_integer', 'unit_amount'],
    ['leading zero', () => form(priceCreate, 'product=p&currency=eur&unit_amount=012'), 'parameter_invalid_integer', 'unit_amount'],
    ['too large', () => form(priceCreate, 'product=p&currency=eur&unit_amount=9999999999999'), 'parameter_invalid_integer', 'unit_amount'],
    [
      'not safe',
      () => form(priceCreate, 'product=p&currency=eur&unit_amount=99999999999999999999'),
      'parameter_invalid_integer',
      'unit_amount',
    ],
    ['negative', () => form(priceCreate, 'product=p&currency=eur&unit_amount=-1'), 'parameter_invalid_integer', 'unit_amount'],
    [
      'text for a number in JSON',
      () => json(priceCreate, { product: 'p', currency: 'eur', unit_amount: '100' }),
      'parameter_invalid_integer',
      'unit_amount',
    ],
    ['boolean', () => form(subscriptionUpdate, 'cancel_at_period_end=yes'), 'parameter_invalid', 'cancel_at_period_end'],
    ['an instant that is neither a date nor now', () => form(subscriptionUpdate, 'trial_end=soon'), 'parameter_invalid', 'trial_end'],
    ['choice', () => form(subscriptionUpdate, 'proration_behavior=maybe'), 'parameter_invalid', 'proration_behavior'],
    ['empty that cannot be unset', () => form(subscriptionUpdate, 'items[0][price]='), 'parameter_invalid_empty', 'items[0][price]'],
    ['hash for text', () => form(customerCreate, 'name[first]=Ada'), 'parameter_invalid', 'name'],
    ['text for a hash', () => form(customerCreate, 'address=Street'), 'parameter_invalid', 'address'],
    ['text for a list', () => form(customerCreate, 'expand=a'), 'parameter_invalid', 'expand'],
    ['currency', () => form(priceCreate, 'product=p&currency=xyz&unit_amount=1'), 'parameter_invalid', 'currency'],
    ['zone', () => form(customerCreate, 'billing_timezone=Mars/Base'), 'parameter_invalid', 'billing_timezone'],
    ['instant beyond 9999', () => form(subscriptionUpdate, 'proration_date=253402300800'), 'parameter_invalid_integer', 'proration_date'],
    ['instant before 1970', () => form(subscriptionUpdate, 'proration_date=-1'), 'parameter_invalid_integer', 'proration_date'],
    ['both amounts', () => form(priceCreate, `${PRICE}&unit_amount_decimal=1.5`), 'parameters_exclusive', 'unit_amount'],
    ['no amount', () => form(priceCreate, 'product=p&currency=eur'), 'parameter_missing', 'unit_amount'],
    [
      'too many decimals',
      () => form(priceCreate, 'product=p&currency=eur&unit_amount_decimal=0.1234567890123'),
      'parameter_invalid',
      'unit_amount_decimal',
    ],
    [
      'four years',
      () => form(priceCreate, `${PRICE}&recurring[interval]=year&recurring[interval_count]=4`),
      'parameter_invalid',
      'recurring[interval_count]',
    ],
    ['percentage over 100', () => form(taxRateCreate, 'display_name=V&percentage=100.1&inclusive=true'), 'parameter_invalid', 'percentage'],
    ['limit', () => form(invoiceList, 'limit=101'), 'parameter_invalid_integer', 'limit'],
    ['limit zero', () => form(invoiceList, 'limit=0'), 'parameter_invalid_integer', 'limit'],
    ['filter', () => form(invoiceList, 'created[after]=1'), 'parameter_unknown', 'created[after]'],
    ['type and types', () => form(eventList, 'type=a.b&types[]=a.b'), 'parameters_exclusive', 'type'],
    ['metadata key', () => form(customerCreate, `metadata[${'k'.repeat(41)}]=v`), 'parameter_invalid', `metadata[${'k'.repeat(41)}]`],
    ['metadata value', () => form(customerCreate, `metadata[k]=${'v'.repeat(501)}`), 'parameter_invalid', 'metadata[k]'],
    [
      '51 metadata keys',
      () => form(customerCreate, Array.from({ length: 51 }, (_, n) => `metadata[k${n}]=v`).join('&')),
      'parameter_invalid',
      'metadata',
    ],
    [
      '21 items',
      () => form(subscriptionCreate, `customer=c&${Array.from({ length: 21 }, (_, n) => `items[${n}][price]=p`).join('&')}`),
      'parameter_invalid',
      'items',
    ],
    [
      'deep unknown in a preview',
      () => form(invoicePreview, 'subscription_details[billing_mode][type]=flexible'),
      'parameter_unknown',
      'subscription_details[billing_mode]',
    ],
  ])('%s', (_, call, code, param) => {
    const told = refusal(call);
    expect(told).toMatchObject({ status: 400, code, param });
    expect(told.message).not.toBe('');
  });
});

describe('fields', () => {
  it('merges metadata as Stripe does', () => {
    expect(mergeMetadata({ a: '1', b: '2' }, { b: '', c: '3' })).toEqual({ a: '1', c: '3' });
    expect(mergeMetadata({ a: '1' }, null)).toEqual({});
    expect(mergeMetadata({ a: '1' }, undefined)).toEqual({ a: '1' });
  });
});
