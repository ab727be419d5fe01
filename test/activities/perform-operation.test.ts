import { randomBytes } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { performOperation } from '../../activities/perform-operation.ts';
import { withAccount } from '../../db/client.ts';
import { emptyDecision } from '../../domain/decision.ts';
import { Refusal } from '../../domain/errors.ts';
import { newCustomer, newPrice } from '../support/scenario.ts';
import { itemOf } from '../support/scenario-backdated.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let customerId: string;
let priceId: string;

beforeAll(async () => {
  stack = await startStack({ worker: 'none' });
  customerId = await newCustomer(stack.stripe);
  priceId = await newPrice(stack.stripe, 1000);
});
afterAll(() => stack?.stop());

const ASOF = 1_800_000_000;
const newId = (): string => `sub_${randomBytes(8).toString('hex')}`;
const create = (subscriptionId: string, operationId = `create:${subscriptionId}`, quantity = '1') =>
  stack.activities.createSubscription({
    accountId: stack.accountId,
    operationId,
    asOf: ASOF,
    actor: 'test',
    subscriptionId,
    customerId,
    currency: null,
    items: [{ id: itemOf(subscriptionId), priceId, quantity, taxRateIds: [] }],
    paymentBehavior: 'allow_incomplete',
    billingTimezone: null,
    defaultPaymentMethodId: null,
    defaultTaxRateIds: [],
    cancelAtPeriodEnd: false,
    cancelAt: null,
  });

const countOf = (table: string, column: string, value: string): Promise<number> =>
  withAccount(
    stack.db,
    stack.accountId,
    async ({ trx }) => (await trx.raw(`select count(*)::int as n from ${table} where ${column} = ?`, [value])).rows[0].n,
  );

test('an operation that is tried again returns its first answer and writes nothing', async () => {
  const id = newId();
  const first = await create(id);
  expect(first).toMatchObject({
    subscription: { status: 'incomplete', periodStart: ASOF },
    invoice: { status: 'open', amountDue: 1000, next: 'collect' },
  });
  expect(await create(id)).toEqual(first);
  expect(await countOf('invoices', 'subscription_id', id)).toBe(1);
});

test('ten tries at once: one writes, all get its answer', async () => {
  const id = newId();
  const answers = await Promise.all(Array.from({ length: 10 }, () => create(id)));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(await countOf('invoices', 'subscription_id', id)).toBe(1);
});

test('the same operation id for something else is refused', async () => {
  const id = newId();
  await create(id);
  const error = await create(id, `create:${id}`, '2').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApplicationFailure);
  expect(error).toMatchObject({ type: 'operation_conflict', nonRetryable: true });
});

test('a refusal writes nothing and may be tried again', async () => {
  const id = newId();
  const refuse = (invoiceId: string) =>
    stack.activities.voidInvoice({ accountId: stack.accountId, operationId: `void:${id}`, asOf: ASOF, actor: 'test', invoiceId });
  await expect(refuse('in_none')).rejects.toMatchObject({ type: 'resource_missing' });
  expect(await countOf('operations', 'operation_id', `void:${id}`)).toBe(0);
  const { invoice } = await create(id);
  expect(await refuse(invoice?.id ?? '')).toMatchObject({ invoice: { status: 'void', next: 'nothing' } });
});

test('a crash between recording and committing leaves nothing behind, and the next try writes the same ids', async () => {
  const id = newId();
  const deps = { db: stack.db, log: console, gateways: {}, taxCalculators: {} };
  const plan = {
    verb: 'issue-invoice' as const,
    parameters: { thing: id },
    query: { customerId, lock: true },
    decide: (_: unknown, { newId: make }: { newId: (prefix: string) => string }) => {
      made.push(make('in'));
      return emptyDecision();
    },
    answer: () => made.at(-1) as string,
  };
  const made: string[] = [];
  const envelope = { accountId: stack.accountId, operationId: `op:${id}`, asOf: ASOF, actor: 'test' };
  const lost = new Error('connection lost');
  const reach = (point: string): void => {
    if (point === 'issue-invoice:recorded') throw lost;
  };
  await expect(performOperation({ ...deps, reach }, envelope, plan)).rejects.toBe(lost);
  expect(await countOf('operations', 'operation_id', `op:${id}`)).toBe(0);
  const answer = await performOperation({ ...deps, reach: () => {} }, envelope, plan);
  expect(made).toEqual([answer, answer]);
});

test('the decision is made under the lock of the customer: two at once see each other', async () => {
  const id = newId();
  const seen: string[] = [];
  const plan = (name: string) => ({
    verb: 'issue-invoice' as const,
    parameters: { thing: `${id}${name}` },
    query: { customerId, lock: true },
    decide: () => {
      if (seen.includes(name)) throw new Refusal('transition_not_allowed', 'twice');
      seen.push(name);
      return emptyDecision();
    },
    answer: () => name,
  });
  const reached: string[] = [];
  const deps = { db: stack.db, log: console, gateways: {}, taxCalculators: {}, reach: (point: string) => void reached.push(point) };
  const envelope = (name: string) => ({ accountId: stack.accountId, operationId: `op:${id}${name}`, asOf: ASOF, actor: 'test' });
  await Promise.all(['a', 'b', 'c'].map((name) => performOperation(deps, envelope(name), plan(name))));
  const inside = reached.filter((point) => !point.endsWith(':committed'));
  expect(inside).toEqual(
    Array.from({ length: 3 }, () => ['issue-invoice:loaded', 'issue-invoice:decided', 'issue-invoice:recorded']).flat(),
  );
});
