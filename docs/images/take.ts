import Stripe from 'stripe';
import { type Browser, chromium } from 'playwright-core';

/**
 * Takes the README's pictures of a running `npm start`: `KEY=sk_test_… node docs/images/take.ts`. Makes a subscription in mid-life and one whose payment
 * fails, and photographs both in the Temporal UI. Settings: `API` and `UI` (addresses as npm start printed them), `CHROMIUM` (path of a browser).
 */
const api = new URL(process.env['API'] ?? 'http://127.0.0.1:8420');
const ui = process.env['UI'] ?? 'http://127.0.0.1:8424';
const stripe = new Stripe(process.env['KEY'] ?? '', { host: api.hostname, port: Number(api.port), protocol: 'http' });

const product = await stripe.products.create({ name: 'Pro' });
const price = await stripe.prices.create({ product: product.id, currency: 'eur', unit_amount: 2000, recurring: { interval: 'month' } });

async function subscribe(name: string): Promise<Stripe.Subscription> {
  const customer = await stripe.customers.create({ name });
  await useCard(customer.id, 'pm_card_visa');
  return stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id, quantity: 3 }] });
}

async function useCard(customer: string, card: string): Promise<void> {
  const attached = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: attached.id } });
}

const upgrade = ({ id, items }: Stripe.Subscription, quantity: number): Promise<Stripe.Subscription> =>
  stripe.subscriptions.update(id, { items: [{ id: items.data[0]?.id ?? '', quantity }], proration_behavior: 'always_invoice' });

async function photograph(browser: Browser, workflowId: string, file: string): Promise<void> {
  const path = `/namespaces/default/workflows/${encodeURIComponent(workflowId)}`;
  const description = (await (await fetch(`${ui}/api/v1${path}`)).json()) as { workflowExecutionInfo: { execution: { runId: string } } };
  const page = await browser.newPage({ viewport: { width: 1480, height: 1000 } });
  await page.goto(`${ui}${path}/${description.workflowExecutionInfo.execution.runId}/timeline`);
  await page.waitForTimeout(6000);
  await page.screenshot({ path: new URL(file, import.meta.url).pathname });
  await page.close();
}

const living = await upgrade(await subscribe('Grace Hopper'), 5);
const failing = await subscribe('Ada Lovelace');
await useCard(String(failing.customer), 'pm_card_chargeCustomerFail');
const { latest_invoice: unpaid } = await upgrade(failing, 9);

const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  await photograph(browser, living.id, 'subscription.png');
  await photograph(browser, `dunning:${unpaid}`, 'dunning.png');
} finally {
  await browser.close();
}
