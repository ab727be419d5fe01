import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type Stripe from 'stripe';
import { expect, inject, vi } from 'vitest';
import { withAccount } from '../../db/client.ts';
import { formatAmount } from '../../domain/money.ts';
import { type Instant, instant, localDate } from '../../domain/time.ts';
import { SEARCH_ATTRIBUTES } from '../../servers/search-attributes.ts';
import { dunningWorkflowId } from '../../workflows/messages.ts';
import { keepSkipping } from '../workflows/keep-skipping.ts';
import { quietly } from './quietly.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

/** A stack whose time is the time-skipping server's: years pass in seconds, and every timer in between fires. One subscription at a time. */
export interface Life extends Stack {
  now(): Instant;
  /** Lives on until the instant, through everything that falls due on the way, and until all of it is done. */
  until(iso: string): Promise<void>;
}

/** Starts a life at `at`, which must lie ahead of the wall clock. */
export async function startLife(at: string, options: Omit<StackOptions, 'temporal' | 'now'> = {}): Promise<Life> {
  quietly();
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: inject('testServerPath') } },
  });
  await env.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: indexedTypes() });

  // The API asks for the time synchronously, so the server's is remembered and goes on at the pace of the wall clock in between.
  let known = { server: await env.currentTimeMs(), wall: performance.now() };
  const currentMs = (): number => known.server + performance.now() - known.wall;
  const now = (): Instant => Math.floor(currentMs() / 1000);
  const synchronise = async (): Promise<void> => {
    known = { server: await env.currentTimeMs(), wall: performance.now() };
  };

  const stack = await startStack({
    ...options,
    temporal: { client: env.client, connection: env.nativeConnection, namespace: env.namespace ?? 'default' },
    now,
  });
  const until = async (iso: string): Promise<void> => {
    await synchronise();
    const ms = instant(iso) * 1000 - currentMs();
    if (ms < 0) throw new RangeError(`${iso} is past`);
    await env.sleep(ms);
    await quiet(stack);
    await synchronise();
  };
  await until(at);
  const watched = watchDunning(stack);
  const stopKeeping = keepSkipping(env, () => watched.ids);
  return {
    ...stack,
    now,
    until,
    stop: async () => {
      await stopKeeping();
      await watched.stop();
      await stack.stop();
      await env.teardown();
    },
  };
}

/** The ids of all dunning workflows that may exist, looked up again every 100 ms: what was paid at once has none. */
function watchDunning({ db, accountId }: Stack): { ids: Set<string>; stop(): Promise<void> } {
  const ids = new Set<string>();
  let watching = true;
  const watch = async (): Promise<void> => {
    while (watching) {
      const found = await withAccount(db, accountId, ({ trx }) =>
        trx.raw(`select id from invoices where due_date is not null or attempt_count > 1 or (attempted and status <> 'paid')`),
      );
      for (const { id } of found.rows as { id: string }[]) ids.add(dunningWorkflowId(id));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const watched = watch();
  const stop = async (): Promise<void> => {
    watching = false;
    await watched;
  };
  return { ids, stop };
}

function indexedTypes(): Record<string, number> {
  const numbers = { Keyword: 2, Datetime: 6 } as const;
  return Object.fromEntries(Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, numbers[type]]));
}

/** Returns when no workflow of the stack has anything left to do before its next timer: seen twice, because what is still busy may wake what was found at rest before it. */
async function quiet(stack: Stack): Promise<void> {
  let seen = '';
  await vi.waitFor(
    async () => {
      const before = seen;
      seen = '';
      seen = await standing(stack);
      expect(seen).toBe(before);
    },
    { timeout: 20_000, interval: 20 },
  );
}

/** How far the history of each workflow has come. @throws where one is not at rest */
async function standing({ client, stripe }: Stack): Promise<string> {
  const subscriptions = await stripe.subscriptions.list({ status: 'all', limit: 10 });
  const invoices = await stripe.invoices.list({ limit: 5 });
  const ids = [...subscriptions.data.map(({ id }) => id), ...invoices.data.map(({ id }) => dunningWorkflowId(id))];
  return (await Promise.all(ids.map((id) => restsAt(client, id)))).join();
}

async function restsAt(client: Client, workflowId: string): Promise<string> {
  try {
    const { raw, runId, historyLength } = await client.workflow.getHandle(workflowId).describe();
    if (raw.pendingWorkflowTask) throw new Error(`${workflowId} has a workflow task`);
    // An activity that has failed and waits for its next try is as quiet as it will be.
    if ((raw.pendingActivities ?? []).some(({ attempt }) => (attempt ?? 1) <= 1)) throw new Error(`${workflowId} has an activity`);
    return `${runId} ${historyLength}`;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return '';
    throw error;
  }
}

/** A customer with a card, by Stripe's test payment methods; null: without one. */
export async function newCustomer(
  stripe: Stripe,
  card: string | null = 'pm_card_visa',
  params: Stripe.CustomerCreateParams = {},
): Promise<string> {
  const customer = await stripe.customers.create({ name: 'Ada', ...params });
  if (card !== null) await useCard(stripe, customer.id, card);
  return customer.id;
}

/** Attaches a card and makes it the customer's default. */
export async function useCard(stripe: Stripe, customer: string, card: string): Promise<string> {
  const method = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } });
  return method.id;
}

/** A recurring price of a product of its own. `amount` in minor units. */
export async function newPrice(
  stripe: Stripe,
  amount: number,
  {
    currency = 'eur',
    interval = 'month',
    count = 1,
    name = 'Seat',
    ...rest
  }: {
    currency?: string;
    interval?: Stripe.PriceCreateParams.Recurring.Interval;
    count?: number;
    name?: string;
  } & Partial<Stripe.PriceCreateParams> = {},
): Promise<string> {
  const product = await stripe.products.create({ name });
  const price = await stripe.prices.create({
    product: product.id,
    currency,
    unit_amount: amount,
    recurring: { interval, interval_count: count },
    ...rest,
  });
  return price.id;
}

/** All invoices, oldest first. */
export async function invoicesOf(stripe: Stripe, params: Stripe.InvoiceListParams = {}): Promise<Stripe.Invoice[]> {
  const all: Stripe.Invoice[] = [];
  for await (const invoice of stripe.invoices.list({ limit: 100, ...params })) all.push(invoice);
  return all.reverse();
}

/** An invoice as a line of a calendar: "2027-02-28 cycle EUR 12.00 paid". */
export const calendarLine = (invoice: Stripe.Invoice, zone = 'UTC'): string =>
  `${localDate(invoice.created, zone)} ${invoice.billing_reason?.replace('subscription_', '')} ${formatAmount(invoice.total, invoice.currency)} ${invoice.status}`;

/** All that was billed, oldest first. */
export const calendar = async (stripe: Stripe, zone = 'UTC'): Promise<string[]> =>
  (await invoicesOf(stripe)).map((invoice) => calendarLine(invoice, zone));

/** What of an invoice must be equal in its preview: everything but ids. */
export const withoutIds = (invoice: Pick<Stripe.Invoice, 'lines' | 'total' | 'subtotal' | 'amount_due' | 'currency'>) => ({
  currency: invoice.currency,
  subtotal: invoice.subtotal,
  total: invoice.total,
  amountDue: invoice.amount_due,
  lines: invoice.lines.data.map((line) => ({
    amount: line.amount,
    description: line.description,
    period: line.period,
    quantity: line.quantity,
    price: line.pricing?.price_details?.price ?? null,
    taxes: line.taxes?.map(({ amount, taxable_amount }) => ({ amount, taxable_amount })) ?? [],
  })),
});

export const statusOf = async (stripe: Stripe, subscription: string): Promise<string> =>
  (await stripe.subscriptions.retrieve(subscription)).status;
