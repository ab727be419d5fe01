import type { Invoice, InvoiceLine, InvoiceStatus } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { fromRow, fromTimestamp, type Row, type TableShape, toRow, toTimestamp, updateOne } from './table.ts';

export const INVOICES: TableShape<
  Omit<Invoice, 'lines' | 'subscriptionIds' | 'consolidationKey'> & { subscriptionIds: string[]; consolidationKey: string | null }
> = {
  table: 'invoices',
  keys: [
    'id',
    'number',
    'customerId',
    'subscriptionId',
    'subscriptionIds',
    'consolidationKey',
    'status',
    'billingReason',
    'currency',
    'subtotal',
    'subtotalExcludingTax',
    'tax',
    'total',
    'totalExcludingTax',
    'taxes',
    'creditDraws',
    'startingBalance',
    'endingBalance',
    'amountCredited',
    'amountDue',
    'amountPaid',
    'amountRemaining',
    'attemptCount',
    'attempted',
    'nextPaymentAttempt',
    'autoAdvance',
    'automaticallyFinalizesAt',
    'collectionMethod',
    'dueDate',
    'overdueAt',
    'periodStart',
    'periodEnd',
    'defaultTaxRateIds',
    'discounts',
    'taxCalculator',
    'taxStatus',
    'customer',
    'seller',
    'description',
    'footer',
    'metadata',
    'createdAt',
    'finalizedAt',
    'paidAt',
    'voidedAt',
    'markedUncollectibleAt',
  ],
  instants: [
    'automaticallyFinalizesAt',
    'dueDate',
    'overdueAt',
    'nextPaymentAttempt',
    'periodStart',
    'periodEnd',
    'createdAt',
    'finalizedAt',
    'paidAt',
    'voidedAt',
    'markedUncollectibleAt',
  ],
};

const LINES: TableShape<Omit<InvoiceLine, 'period' | 'subscriptionId'> & { subscriptionId: string | null }> = {
  table: 'invoice_lines',
  keys: [
    'id',
    'subscriptionId',
    'subscriptionItemId',
    'invoiceItemId',
    'priceId',
    'productId',
    'description',
    'quantity',
    'unitAmountDecimal',
    'currency',
    'amount',
    'proration',
    'creditedInvoiceId',
    'creditedLineId',
    'discountAmounts',
    'discountable',
    'taxes',
    'explanation',
    'metadata',
  ],
  instants: [],
};

/** An invoice `kept` with its lines, as one JSON value. */
export const INVOICE_JSON = `to_jsonb(kept) || jsonb_build_object('lines', (
  select coalesce(jsonb_agg(to_jsonb(l) order by l.position), '[]') from invoice_lines l where l.account_id = kept.account_id and l.invoice_id = kept.id))`;

export const lineToRow = (accountId: string, invoiceId: string, line: InvoiceLine, position: number): Row =>
  toRow(
    LINES,
    accountId,
    { discountAmounts: [], discountable: true, ...line, subscriptionId: line.subscriptionId ?? null },
    {
      invoice_id: invoiceId,
      position,
      period_start: toTimestamp(line.period.start),
      period_end: toTimestamp(line.period.end),
    },
  );

function lineFromRow(row: Row): InvoiceLine {
  const { subscriptionId, ...line } = fromRow(LINES, row);
  return {
    ...line,
    ...(subscriptionId === null ? {} : { subscriptionId }),
    period: { start: fromTimestamp(String(row['period_start'])), end: fromTimestamp(String(row['period_end'])) },
  };
}

/** Only a consolidated invoice says that it is one. */
export function headFromRow(row: Row): Omit<Invoice, 'lines'> {
  const { subscriptionIds, consolidationKey, ...head } = fromRow(INVOICES, row);
  return consolidationKey === null ? head : { ...head, subscriptionIds, consolidationKey };
}

export const invoiceFromRow = (row: Row): Invoice => ({ ...headFromRow(row), lines: (row['lines'] as Row[]).map(lineFromRow) });

export const invoiceToRow = (accountId: string, invoice: Invoice): Row =>
  toRow(INVOICES, accountId, {
    discounts: [],
    creditDraws: [],
    ...invoice,
    subscriptionIds: invoice.subscriptionIds ?? [],
    consolidationKey: invoice.consolidationKey ?? null,
  });

export async function findInvoice(t: AccountTransaction, id: string): Promise<Invoice | null> {
  const { rows } = await t.run<{ row: Row }>(`select ${INVOICE_JSON} as row from invoices kept where account_id = $1 and id = $2`, [
    t.accountId,
    id,
  ]);
  return rows[0] ? invoiceFromRow(rows[0].row) : null;
}

export async function listInvoices(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; customerId?: string; subscriptionId?: string; status?: InvoiceStatus },
): Promise<List<Invoice>> {
  const filter = new Filter().within('created_at', query.created).equal('customer_id', query.customerId).equal('status', query.status);
  const { subscriptionId } = query;
  if (subscriptionId !== undefined) {
    filter.add(
      `(kept.subscription_id = ? or kept.customer_id = any(array(select customer_id from subscriptions where account_id = ? and id = ?))
        and kept.consolidation_key is not null and ? = any(kept.subscription_ids))`,
      subscriptionId,
      t.accountId,
      subscriptionId,
      subscriptionId,
    );
  }
  const { rows, hasMore } = await listRows(t, { table: 'invoices', select: INVOICE_JSON }, query, filter);
  return { items: rows.map(invoiceFromRow), hasMore };
}

/** Words on an invoice; the database refuses them where it is finalised, but for metadata. */
export const updateInvoice = (
  t: AccountTransaction,
  id: string,
  patch: Pick<Invoice, 'description' | 'footer' | 'metadata'>,
): Promise<{ id: string } | null> => updateOne(t, INVOICES, id, patch);
