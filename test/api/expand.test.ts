import { describe, expect, it, vi } from 'vitest';
import { checkExpand, expand, type Json, type ObjectReader } from '../../api/expand.ts';

const objects: Record<string, Json> = {
  cus_1: { id: 'cus_1', object: 'customer', invoice_settings: { default_payment_method: 'pm_1' } },
  pm_1: { id: 'pm_1', object: 'payment_method', customer: 'cus_1' },
  in_1: {
    id: 'in_1',
    object: 'invoice',
    customer: 'cus_1',
    parent: { subscription_details: { subscription: 'sub_1' } },
    lines: { object: 'list', data: [] },
  },
  prod_1: { id: 'prod_1', object: 'product', default_price: null },
};
const subscription = (id: string): Json => ({
  id,
  object: 'subscription',
  customer: 'cus_1',
  latest_invoice: 'in_1',
  default_payment_method: null,
  items: {
    object: 'list',
    data: [{ id: 'si_1', object: 'subscription_item', price: { id: 'price_1', object: 'price', product: 'prod_1' } }],
  },
});

function reader() {
  const read = vi.fn<ObjectReader['read']>(
    async (_, ids) => new Map(ids.flatMap((id) => (objects[id] === undefined ? [] : [[id, structuredClone(objects[id])] as const]))),
  );
  const readExtra = vi.fn<ObjectReader['readExtra']>(
    async (_kind, _path, owners) => new Map(owners.map((owner) => [String(owner['id']), { object: 'list', data: [] }])),
  );
  return { read, readExtra };
}

describe('expand', () => {
  it('replaces ids at any depth', async () => {
    const answer = subscription('sub_1');
    await expand(
      answer,
      'subscription',
      [
        'customer.invoice_settings.default_payment_method',
        'latest_invoice.parent.subscription_details.subscription',
        'items.data.price.product',
      ],
      reader(),
    );
    expect(answer).toMatchObject({
      customer: { id: 'cus_1', invoice_settings: { default_payment_method: { id: 'pm_1', customer: 'cus_1' } } },
      latest_invoice: { id: 'in_1', parent: { subscription_details: { subscription: 'sub_1' } } },
      items: { data: [{ price: { product: { id: 'prod_1' } } }] },
    });
  });
  it('reads once for a whole list', async () => {
    const answer: Json = { object: 'list', data: Array.from({ length: 100 }, (_, n) => subscription(`sub_${n}`)) };
    const from = reader();
    await expand(answer, 'subscription', ['data.customer', 'data.latest_invoice.customer'], from);
    expect(from.read.mock.calls).toEqual([
      ['customer', ['cus_1']],
      ['invoice', ['in_1']],
      ['customer', ['cus_1']],
    ]);
    expect((answer['data'] as Json[])[99]).toMatchObject({ customer: { id: 'cus_1' }, latest_invoice: { customer: { id: 'cus_1' } } });
  });
  it('leaves null and what no longer exists as it is', async () => {
    const answer = { ...subscription('sub_1'), customer: 'cus_gone' };
    await expand(answer, 'subscription', ['customer', 'default_payment_method'], reader());
    expect(answer).toMatchObject({ customer: 'cus_gone', default_payment_method: null });
  });
  it('adds lists that are shown only on request', async () => {
    const answer = structuredClone(objects['in_1']) as Json;
    await expand(answer, 'invoice', ['payment_attempts', 'confirmation_secret'], reader());
    expect(answer).toMatchObject({ payment_attempts: { object: 'list', data: [] }, confirmation_secret: null });
  });
  it.each([
    ['subscription', 'custmer', false],
    ['subscription', 'status', false],
    ['subscription', 'items.price.product', false],
    ['subscription', 'customer.', false],
    ['subscription', '', false],
    ['subscription', 'data.customer', false],
    ['subscription', 'customer', true],
    ['subscription', 'data', true],
    ['subscription', 'constructor', false],
    ['invoice', 'confirmation_secret.payment_intent', false],
    ['subscription', 'customer.invoice_settings.default_payment_method.customer.invoice_settings.default_payment_method.customer', false],
  ] as const)('refuses %s %s before reading anything', (kind, path, list) => {
    expect(() => checkExpand([path], kind, list)).toThrow(/cannot/);
  });
});
