import type { BillingSnapshot } from '../billing-snapshot.ts';
import { findPrice } from '../catalog/find-price.ts';
import { priceIn } from '../catalog/price-in.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import { describeOneTime, explainOneTime } from '../invoicing/describe-line.ts';
import { type DecisionDraft, emit } from '../invoicing/draft-decision.ts';
import type { InvoiceItem } from '../invoicing/invoice.ts';
import { chargeOnce } from '../rating/prorate.ts';
import { taxRatesFor } from '../tax/apply-tax-rates.ts';
import { subscriptionOf } from './bill-items.ts';
import { checkQuantity, checkTaxRates } from './check-items.ts';
import type { OneTimeItem } from './commands.ts';

/** As Stripe. */
export const MAX_ONE_TIME_ITEMS = 20;

/**
 * What is sold once with the subscription (`add_invoice_items`), as invoice items for the invoice that the same decision makes. Amounts are price x quantity, rounded once, half up.
 * @throws Refusal resource_missing, price_inactive, parameter_invalid, currency_mismatch, amount_out_of_range about `add_invoice_items`
 */
export function billOnce(draft: DecisionDraft, wishes: readonly OneTimeItem[]): InvoiceItem[] {
  const { account, customer } = draft.snapshot;
  const { id: subscriptionId, currency, defaultTaxRateIds } = subscriptionOf(draft);
  checkOneTimeItems(draft.snapshot, wishes, { currency, madeFor: subscriptionId, param: 'add_invoice_items' });
  return wishes.map(({ priceId, quantity, taxRateIds }): InvoiceItem => {
    const { price: found, product } = findPrice(draft.snapshot, priceId);
    const price = priceIn(found, currency);
    const charge = chargeOnce(price, quantity);
    const item: InvoiceItem = {
      id: draft.newId(ID_PREFIX.invoiceItem),
      customerId: customer.id,
      subscriptionId,
      invoiceId: null,
      line: {
        subscriptionItemId: null,
        priceId,
        productId: product.id,
        description: describeOneTime(product, quantity),
        quantity,
        unitAmountDecimal: price.unitAmountDecimal,
        currency: price.currency,
        amount: charge.amount,
        period: { start: draft.asOf, end: draft.asOf },
        proration: false,
        creditedInvoiceId: null,
        creditedLineId: null,
        explanation: explainOneTime(price, quantity, charge),
        metadata: {},
      },
      taxRateIds: taxRatesFor(taxRateIds, defaultTaxRateIds, customer.defaultTaxRateIds, account.defaultTaxRateIds),
      date: draft.asOf,
    };
    draft.decision.pendingItems.insert.push(item);
    emit(draft, 'invoiceitem.created', 'invoiceitem', item.id);
    return item;
  });
}

/** @throws Refusal resource_missing, price_inactive, parameter_invalid, currency_mismatch about `param`; `madeFor`: a price made for this subscription alone may be inactive */
export function checkOneTimeItems(
  snapshot: BillingSnapshot,
  wishes: readonly OneTimeItem[],
  { currency, madeFor, param: list }: { currency: string; madeFor: string | null; param: string },
): void {
  if (wishes.length > MAX_ONE_TIME_ITEMS) throw new Refusal('parameter_invalid', `At most ${MAX_ONE_TIME_ITEMS} items can be added.`, list);
  wishes.forEach(({ priceId, quantity, taxRateIds }, index) => {
    const param = `${list}[${index}]`;
    const { price } = findPrice(snapshot, priceId, `${param}[price]`);
    if (!price.active && (madeFor === null || price.madeFor !== madeFor))
      throw new Refusal('price_inactive', 'The price specified is inactive. This field only accepts active prices.', `${param}[price]`);
    if (price.recurring)
      throw new Refusal(
        'parameter_invalid',
        'The price specified is recurring, but this field only accepts one-time prices.',
        `${param}[price]`,
      );
    priceIn(price, currency, `${param}[price]`);
    checkQuantity(quantity, `${param}[quantity]`);
    checkTaxRates(snapshot, taxRateIds, `${param}[tax_rates]`);
  });
}
