import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Consolidation } from '../domain/invoicing/consolidate.ts';
import type { AccountTransaction } from './client.ts';
import { INVOICE_JSON, invoiceFromRow } from './invoices.ts';
import { SUBSCRIPTION_JSON, subscriptionFromRow } from './subscriptions.ts';
import type { Row } from './table.ts';

const READ = `
  select
    (select coalesce(jsonb_agg(${INVOICE_JSON} order by kept.created_at, kept.position), '[]') from invoices kept
      where kept.account_id = $1 and kept.customer_id = $2 and kept.status = 'draft' and kept.consolidation_key is not null) as drafts,
    (select coalesce(jsonb_agg(${SUBSCRIPTION_JSON}), '[]') from subscriptions kept
      where kept.account_id = $1 and kept.customer_id = $2 and kept.id <> $3 and kept.status in ('active', 'past_due', 'trialing')) as siblings`;

/** With whom a renewal of the subscription may share an invoice. */
async function readConsolidation(t: AccountTransaction, customerId: string, subscriptionId: string): Promise<Consolidation> {
  const { rows } = await t.run<{ drafts: Row[]; siblings: Row[] }>(READ, [t.accountId, customerId, subscriptionId]);
  return { drafts: (rows[0]?.drafts ?? []).map(invoiceFromRow), siblings: (rows[0]?.siblings ?? []).map(subscriptionFromRow) };
}

/**
 * The snapshot with the other subscriptions of its consolidated invoices, and, where a renewal asks, what it may share. What a decision about the invoice needs of each is at hand: prices, tax rates,
 * and, where the invoice has no subscription, the payment methods in the order of its subscriptions.
 * @param load a snapshot of one subscription, without its members
 */
export async function withMembers(
  t: AccountTransaction,
  given: BillingSnapshot,
  sharing: boolean,
  load: (subscriptionId: string) => Promise<BillingSnapshot>,
): Promise<BillingSnapshot> {
  const { subscription, customer, invoice, openInvoices } = given;
  const consolidation =
    sharing && subscription && customer.consolidatedInvoicing ? await readConsolidation(t, customer.id, subscription.id) : null;
  const shared = [...(invoice ? [invoice] : []), ...openInvoices, ...(consolidation?.drafts ?? [])];
  const ids = new Set(shared.flatMap(({ subscriptionIds = [] }) => subscriptionIds));
  if (subscription) ids.delete(subscription.id);
  const snapshot = consolidation ? { ...given, consolidation } : given;
  if (ids.size === 0) return snapshot;
  const members: BillingSnapshot[] = [];
  for (const id of ids) members.push(await load(id));
  const methods = [...given.paymentMethods, ...(subscription ? [] : members.flatMap(({ paymentMethods }) => paymentMethods))];
  const first = subscription ? [] : members.flatMap(({ paymentMethods }) => paymentMethods.slice(0, 1)).slice(0, 1);
  return {
    ...snapshot,
    members,
    prices: Object.assign({}, ...members.map(({ prices }) => prices), given.prices),
    taxRates: Object.assign({}, ...members.map(({ taxRates }) => taxRates), given.taxRates),
    paymentMethods: [...new Map([...first, ...methods].map((method) => [method.id, method])).values()],
  };
}
