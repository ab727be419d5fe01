import type { BillingSnapshot } from '../billing-snapshot.ts';
import { discountOf } from '../discounts/apply-discounts.ts';
import { Refusal } from '../errors.ts';
import type { DecisionContext } from '../invoicing/draft-decision.ts';
import type { Invoice, InvoiceLine } from '../invoicing/invoice.ts';
import { sum } from '../money.ts';
import type { CreateSubscription } from '../subscription/commands.ts';
import { decideCreation } from '../subscription/create-subscription.ts';
import { applyDecision, foresee, madeBy } from '../subscription/foresee.ts';
import type { Instant } from '../time.ts';
import type { Quote, QuoteAmounts, QuoteTotals } from './quote.ts';

type Priced = Omit<Quote, 'amounts' | 'currency'> & { currency: string | null };

/** The subscription that the quote offers. One-time prices are billed on its first invoice. @throws Refusal about `line_items` */
export function subscriptionOffered(quote: Priced, snapshot: Pick<BillingSnapshot, 'prices'>): CreateSubscription {
  const isOnce = ({ priceId }: Quote['lines'][number]): boolean => snapshot.prices[priceId]?.recurring === null;
  const [once, items] = [quote.lines.filter(isOnce), quote.lines.filter((line) => !isOnce(line))];
  if (items.length === 0)
    throw new Refusal('parameter_invalid', 'A quote needs at least one line item with a recurring price.', 'line_items');
  const discounted = quote.lines.findIndex((line) => isOnce(line) && line.discounts.length > 0);
  if (discounted >= 0)
    throw new Refusal(
      'parameter_invalid',
      'A line item with a one-time price takes no discounts of its own.',
      `line_items[${discounted}][discounts]`,
    );
  return {
    subscriptionId: quote.subscriptionId,
    customerId: quote.customerId,
    currency: quote.currency,
    items: items.map(({ itemId: id, priceId, quantity, taxRateIds, discounts }) => ({
      ...{ id, priceId, quantity, taxRateIds },
      ...(discounts.length === 0 ? {} : { discounts }),
    })),
    paymentBehavior: 'allow_incomplete',
    billingTimezone: null,
    ...(quote.collectionMethod === 'charge_automatically' ? {} : { collectionMethod: quote.collectionMethod }),
    ...(quote.daysUntilDue === null ? {} : { daysUntilDue: quote.daysUntilDue }),
    defaultPaymentMethodId: null,
    defaultTaxRateIds: quote.defaultTaxRateIds,
    cancelAtPeriodEnd: false,
    cancelAt: null,
    ...(quote.trialPeriodDays === null ? {} : { trial: { days: quote.trialPeriodDays } }),
    ...(once.length === 0 ? {} : { addInvoiceItems: once.map(({ priceId, quantity, taxRateIds }) => ({ priceId, quantity, taxRateIds })) }),
    ...(quote.discounts.length === 0 ? {} : { discounts: quote.discounts }),
    quoteId: quote.id,
  };
}

/**
 * What the quote comes to, were it accepted now: the first invoice of its subscription and its first renewal, made by the functions that will make them. Nothing else of the customer's
 * is on them.
 * @throws Refusal what the creation is refused with, and about `line_items`
 */
export function priceQuote(
  given: BillingSnapshot,
  quote: Priced,
  { asOf, newId }: DecisionContext,
): { currency: string; amounts: QuoteAmounts } {
  const snapshot: BillingSnapshot = { ...given, subscription: null, pendingItems: [], customerItems: [], openInvoices: [] };
  const starts: Instant = Math.max(asOf, quote.effectiveDate ?? asOf);
  const command = subscriptionOffered(quote, snapshot);
  const decision = byLine(() => decideCreation(snapshot, command, { asOf: starts, newId }), quote, command);
  const first = madeBy(decision, snapshot);
  const created = decision.subscription;
  if (created === null) throw new Error('a creation made no subscription');
  const [renewal] = foresee(applyDecision(snapshot, decision), 1, newId);
  const lines = quote.lines.map((line) => {
    const of = (invoice: Invoice | undefined): InvoiceLine[] => (invoice?.lines ?? []).filter(({ priceId }) => priceId === line.priceId);
    const isFree = quote.trialPeriodDays !== null && snapshot.prices[line.priceId]?.recurring != null;
    const billed = isFree ? of(renewal) : of(first);
    return [line.id, { ...totalsOf(billed), description: billed[0]?.description ?? '' }] as const;
  });
  return {
    currency: created.currency,
    amounts: {
      upfront: totalsOf(first?.lines ?? []),
      recurring: renewal === undefined ? null : { ...totalsOf(renewal.lines), cycle: created.cycle },
      lines: Object.fromEntries(lines),
    },
  };
}

/** A refusal about an item is one about the line item that it comes from. */
function byLine<T>(decide: () => T, quote: Priced, { items }: CreateSubscription): T {
  try {
    return decide();
  } catch (error) {
    const [, index, rest] = (error instanceof Refusal && /^items\[(\d+)\](.*)$/.exec(error.param ?? '')) || [];
    if (!(error instanceof Refusal) || index === undefined) throw error;
    const place = quote.lines.findIndex(({ itemId }) => itemId === items[Number(index)]?.id);
    throw error.about(`line_items[${place}]${rest ?? ''}`);
  }
}

function totalsOf(lines: readonly InvoiceLine[]): QuoteTotals {
  const subtotal = sum(lines.map(({ amount }) => amount));
  const discount = sum(lines.map(discountOf));
  const taxes = lines.flatMap((line) => line.taxes);
  const exclusive = sum(taxes.flatMap(({ inclusive, amount }) => (inclusive ? [] : [amount])));
  return { subtotal, discount, tax: sum(taxes.map(({ amount }) => amount)), total: sum([subtotal, -discount, exclusive]) };
}
