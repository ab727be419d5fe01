import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listBalanceTransactions } from '../../db/balance-transactions.ts';
import { loadSnapshot } from '../../db/billing-snapshot.ts';
import { findCustomer } from '../../db/customers.ts';
import { listEvents } from '../../db/events.ts';
import { findInvoice } from '../../db/invoices.ts';
import { findOperation } from '../../db/operations.ts';
import { OperationExists } from '../../db/record-decision.ts';
import { findSubscription, updateSubscription } from '../../db/subscriptions.ts';
import { emptyDecision } from '../../domain/decision.ts';
import type { InvoiceItem } from '../../domain/invoicing/invoice.ts';
import { anAttempt, END, START } from '../api/examples.ts';
import { coverage, creation, draftOf, finalised, openWorld, record, unique, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const snapshotOf = (subscriptionId: string) => world.as('acct_1', (t) => loadSnapshot(t, { subscriptionId, lock: false }));

const pendingItem = (subscriptionId: string, id = unique('ii')): InvoiceItem => {
  const {
    id: _,
    taxes: __,
    invoiceItemId: ___,
    ...line
  } = draftOf(1, id).lines[0] as never as Record<string, unknown> &
    InvoiceItem['line'] & { id: string; taxes: unknown; invoiceItemId: unknown };
  return { id, customerId: 'cus_1', subscriptionId, invoiceId: null, line, taxRateIds: ['txr_1'], discounts: [], date: START };
};

describe('a decision as a whole', () => {
  test('comes back as it was written, with the number that was drawn', async () => {
    const id = unique('sub');
    const decision = creation(1, id);
    const answer = (await record(world, 'acct_1', decision, { operationId: `op_${id}`, kind: 'create-subscription' })) as {
      numbers: Record<string, string>;
    };
    const number = answer.numbers[`in_${id}`];
    expect(number).toMatch(/^EX1-\d{4,}$/);

    const snapshot = await snapshotOf(id);
    expect(snapshot.subscription).toEqual(decision.subscription);
    expect(snapshot.openInvoices).toEqual([{ ...decision.invoices[0], number }]);
    expect(snapshot.billed).toEqual(decision.billed.insert);
    expect(snapshot.customer.currency).toBe('eur');

    const operation = await world.as('acct_1', (t) => findOperation(t, `op_${id}`));
    expect(operation).toEqual({
      operationId: `op_${id}`,
      kind: 'create-subscription',
      requestHash: 'hash',
      result: { numbers: { [`in_${id}`]: number } },
    });
  });

  test('writes its events in order, each with the object as written', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id), { operationId: `op_${id}` });
    const { items } = await world.as('acct_1', (t) => listEvents(t, { limit: 10, objectId: `in_${id}` }));
    expect(items.map(({ type, sequence, operationId, previous }) => ({ type, sequence, operationId, previous }))).toEqual([
      { type: 'invoice.finalized', sequence: 2, operationId: `op_${id}`, previous: { status: 'draft' } },
      { type: 'invoice.created', sequence: 1, operationId: `op_${id}`, previous: null },
    ]);
    const invoice = await world.as('acct_1', (t) => findInvoice(t, `in_${id}`));
    expect(items[0]?.data).toEqual(invoice);
  });

  test('writes nothing at all when a part of it is refused', async () => {
    const id = unique('sub');
    const decision = creation(1, id);
    const crooked = {
      ...decision,
      journal: decision.journal.map((transaction) => ({ ...transaction, entries: [{ ledgerAccount: 'receivable' as const, amount: 1 }] })),
    };
    await expect(record(world, 'acct_1', crooked, { operationId: `op_${id}` })).rejects.toThrow(/does not sum to zero/);
    expect(await world.as('acct_1', (t) => findSubscription(t, id))).toBeNull();
    expect(await world.as('acct_1', (t) => findOperation(t, `op_${id}`))).toBeNull();
  });

  test('an operation id is carried out once', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id), { operationId: `op_${id}` });
    await expect(record(world, 'acct_1', { invoices: [draftOf(1, unique('in'))] }, { operationId: `op_${id}` })).rejects.toBeInstanceOf(
      OperationExists,
    );
    // The same id in another account is another operation.
    await record(world, 'acct_2', emptyDecision(), { operationId: `op_${id}` });
  });

  test('of two at once under one operation id, one is written', async () => {
    const operationId = unique('op');
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map(() => record(world, 'acct_1', { invoices: [draftOf(1, unique('in'))] }, { operationId })),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OperationExists);
  });

  test('of two tries of one operation at once, which write the same rows, the later learns that it is done', async () => {
    const id = unique('sub');
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => record(world, 'acct_1', creation(1, id), { operationId: `op_${id}` })));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OperationExists);
  });
});

describe('invoices', () => {
  test('the lines of a draft are written anew, those of a finalised one stay', async () => {
    const draft = draftOf(1, unique('in'));
    await record(world, 'acct_1', { invoices: [draft] });
    const line = { ...(draft.lines[0] as (typeof draft.lines)[number]), description: 'changed' };
    const added = { ...line, id: unique('il'), amount: 100 };
    const two = { ...draft, lines: [added, line], subtotal: 2500, total: 2500, amountDue: 2500, amountRemaining: 2500 };
    await record(world, 'acct_1', { invoices: [two] });
    expect(await world.as('acct_1', (t) => findInvoice(t, draft.id))).toEqual(two);

    await record(world, 'acct_1', { invoices: [finalised(two)] });
    const open = await world.as('acct_1', (t) => findInvoice(t, draft.id));
    expect(open).toMatchObject({ status: 'open', lines: two.lines });
    const paid = { ...open, status: 'paid', amountPaid: 2500, amountRemaining: 0, paidAt: START } as typeof two;
    await record(world, 'acct_1', { invoices: [paid] });
    expect(await world.as('acct_1', (t) => findInvoice(t, draft.id))).toEqual(paid);
  });

  test('a draft that is voided draws no number', async () => {
    const draft = draftOf(1, unique('in'));
    await record(world, 'acct_1', { invoices: [draft] });
    await record(world, 'acct_1', { invoices: [{ ...draft, status: 'void', voidedAt: START }] });
    expect(await world.as('acct_1', (t) => findInvoice(t, draft.id))).toMatchObject({ status: 'void', number: null });
  });
});

describe('a subscription', () => {
  test('an item that is dropped is gone from it, and its coverage still known', async () => {
    const id = unique('sub');
    const decision = creation(1, id);
    await record(world, 'acct_1', decision);
    const items = [
      {
        id: `si_new_${id}`,
        priceId: 'price_other_1',
        quantity: '1.5',
        taxRateIds: [],
        discounts: [],
        metadata: {},
        usageGte: null,
        createdAt: START,
      },
    ];
    const subscription = { ...(decision.subscription as NonNullable<typeof decision.subscription>), items };
    await record(world, 'acct_1', { subscription });
    const snapshot = await snapshotOf(id);
    expect(snapshot.subscription?.items).toEqual(items);
    expect(snapshot.billed.map((row) => row.id)).toEqual([`bp_${id}`]);
    expect(Object.keys(snapshot.prices).sort()).toEqual(['price_1', 'price_other_1']);
  });

  test('fields that the API writes beside decisions are not put back by one', async () => {
    const id = unique('sub');
    const decision = creation(1, id);
    await record(world, 'acct_1', decision);
    await world.as('acct_1', (t) => updateSubscription(t, id, { metadata: { seen: 'yes' }, description: 'ours' }));
    await record(world, 'acct_1', { subscription: decision.subscription });
    expect(await world.as('acct_1', (t) => findSubscription(t, id))).toMatchObject({ metadata: { seen: 'yes' }, description: 'ours' });
  });
});

describe('pending items and coverage', () => {
  test('an item waits, is consumed, and its coverage follows it to the line', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    const item = pendingItem(id);
    const covered = coverage(1, `si_${id}`, END, END + 100, { invoiceItemId: item.id });
    await record(world, 'acct_1', {
      pendingItems: { insert: [item], change: [], consume: [], remove: [] },
      billed: { shrink: [], insert: [covered], attach: [] },
      events: [{ type: 'invoiceitem.created', objectType: 'invoiceitem', objectId: item.id, previous: null }],
    });
    expect((await snapshotOf(id)).pendingItems).toEqual([item]);

    const invoice = draftOf(1, unique('in'), { subscriptionId: id });
    await record(world, 'acct_1', {
      invoices: [invoice],
      pendingItems: { insert: [], change: [], consume: [{ id: item.id, invoiceId: invoice.id }], remove: [] },
      billed: {
        shrink: [],
        insert: [],
        attach: [{ invoiceItemId: item.id, invoiceId: invoice.id, invoiceLineId: String(invoice.lines[0]?.id) }],
      },
      events: [{ type: 'invoiceitem.updated', objectType: 'invoiceitem', objectId: item.id, previous: { invoiceId: null } }],
    });
    const snapshot = await snapshotOf(id);
    expect(snapshot.pendingItems).toEqual([]);
    expect(snapshot.billed.find((row) => row.id === covered.id)).toMatchObject({
      invoiceId: invoice.id,
      invoiceLineId: invoice.lines[0]?.id,
    });
    const { items } = await world.as('acct_1', (t) => listEvents(t, { limit: 1, objectId: item.id }));
    expect(items[0]?.data).toEqual({ ...item, invoiceId: invoice.id });
  });

  test('an item is taken back: it waits no more, and its event still tells of it', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    const item = pendingItem(id);
    await record(world, 'acct_1', { pendingItems: { insert: [item], change: [], consume: [], remove: [] } });
    await record(world, 'acct_1', {
      pendingItems: { insert: [], change: [], consume: [], remove: [item.id] },
      events: [{ type: 'invoiceitem.deleted', objectType: 'invoiceitem', objectId: item.id, previous: null }],
    });
    expect((await snapshotOf(id)).pendingItems).toEqual([]);
    const { items } = await world.as('acct_1', (t) => listEvents(t, { limit: 1, objectId: item.id }));
    expect(items[0]?.data).toEqual(item);
  });

  test('a shrink frees the time that the same decision covers anew', async () => {
    const id = unique('sub');
    await record(world, 'acct_1', creation(1, id));
    const middle = START + 1000;
    const anew = coverage(1, `si_${id}`, middle, END);
    await record(world, 'acct_1', { billed: { shrink: [{ id: `bp_${id}`, end: middle, credited: 1200 }], insert: [anew], attach: [] } });
    const { billed } = await snapshotOf(id);
    expect(billed.map(({ start, end, credited, originalEnd }) => ({ start, end, credited, originalEnd }))).toEqual([
      { start: START, end: middle, credited: 1200, originalEnd: END },
      { start: middle, end: END, credited: 0, originalEnd: END },
    ]);
  });
});

describe('money', () => {
  test('an attempt is written before and settled after the charge', async () => {
    const invoice = finalised(draftOf(1, unique('in')));
    await record(world, 'acct_1', { invoices: [invoice] });
    const attempt = anAttempt({
      id: unique('pa'),
      invoiceId: invoice.id,
      idempotencyKey: invoice.id,
      status: 'created',
      declineCode: null,
      declineMessage: null,
      resolvedAt: null,
    });
    const read = async () => (await world.as('acct_1', (t) => loadSnapshot(t, { invoiceId: invoice.id, lock: false }))).attempts;
    await record(world, 'acct_1', { attempt });
    expect(await read()).toEqual([attempt]);
    const settled = {
      ...attempt,
      status: 'declined' as const,
      gatewayReference: unique('ch'),
      declineCode: 'insufficient_funds',
      declineMessage: 'No.',
      resolvedAt: START + 1,
    };
    await record(world, 'acct_1', {
      attempt: settled,
      events: [{ type: 'payment_attempt.credited_to_balance', objectType: 'payment_attempt', objectId: attempt.id, previous: null }],
    });
    expect(await read()).toEqual([settled]);
  });

  test('the customer keeps the last balance of the movements', async () => {
    const move = (amount: number, endingBalance: number) => ({
      id: unique('cbtxn'),
      customerId: 'cus_2',
      type: 'adjustment' as const,
      amount,
      endingBalance,
      currency: 'eur',
      invoiceId: null,
      createdAt: START,
    });
    await record(world, 'acct_2', {
      balance: [move(-500, -500), move(200, -300)],
      events: [{ type: 'customer.discount.updated', objectType: 'customer', objectId: 'cus_2', previous: { balance: 0 } }],
    });
    const customer = await world.as('acct_2', (t) => findCustomer(t, 'cus_2'));
    expect(customer).toMatchObject({ balance: -300, currency: 'eur' });
    const { items } = await world.as('acct_2', (t) => listEvents(t, { limit: 1, objectId: 'cus_2' }));
    expect(items[0]?.data).toEqual(customer);
    const moved = await world.as('acct_2', (t) => listBalanceTransactions(t, { limit: 5, customerId: 'cus_2' }));
    expect(moved.items.map((row) => row.amount).sort()).toEqual([-500, 200]);
  });
});
