import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { composeInvoice } from '../invoicing/compose-invoice.ts';
import { beginDecision, type DecisionContext, emit, finishDecision } from '../invoicing/draft-decision.ts';
import { priceItem } from '../invoicing/price-item.ts';
import { sum } from '../money.ts';
import { isServed } from '../subscription/transitions.ts';
import { billUsageSoFar } from '../usage/bill-usage.ts';
import { findLowCredit, type LowCredit, monthOf } from './low-credit.ts';
import { planDraws } from './plan-draws.ts';

/**
 * What is drawn of each grant, by its id, were all that the subscription has used by now invoiced at once. It is for looking ahead: nothing of it is decided. Discounts count, and taxes that need no engine.
 */
export function foreseeDraws(snapshot: BillingSnapshot, context: DecisionContext): Map<string, number> {
  const drawn = new Map<string, number>();
  const { subscription } = snapshot;
  if (subscription === null || !isServed(subscription.status)) return drawn;
  const draft = beginDecision(snapshot, context);
  const lines = billUsageSoFar(draft, subscription.items, context.asOf);
  if (lines.length === 0) return drawn;
  const { invoice } = composeInvoice(draft, {
    billingReason: 'subscription_threshold',
    period: { start: context.asOf, end: context.asOf },
    lines,
    pending: [],
    autoAdvance: false,
    leaveDraft: true,
  });
  const { currency, total } = invoice;
  const request = { lines: invoice.lines, currency, most: Math.max(0, total), prices: snapshot.prices, at: context.asOf };
  for (const { grant, amount } of planDraws(draft.creditGrants, request)) drawn.set(grant.id, sum([drawn.get(grant.id) ?? 0, amount]));
  return drawn;
}

/** Which top-up is due, counting what is used and not billed yet as drawn; null: none is. */
export const lookAhead = (snapshot: BillingSnapshot, context: DecisionContext): LowCredit | null =>
  snapshot.topUps?.some(({ active }) => active)
    ? findLowCredit(snapshot, snapshot.creditGrants ?? [], context.asOf, foreseeDraws(snapshot, context))
    : null;

/**
 * Buys credit where that is still due: a one-off invoice of one line without tax, final at once and charged automatically. The credit is granted when it is paid (`follow-top-ups.ts`). Not due any more, or made
 * already: an empty decision.
 */
export function decideTopUp(snapshot: BillingSnapshot, { topUpId, number }: LowCredit, context: DecisionContext): Decision {
  const due = lookAhead(snapshot, context);
  const rule = snapshot.topUps?.find(({ id }) => id === due?.topUpId);
  if (
    rule === undefined ||
    due?.topUpId !== topUpId ||
    due.number !== number ||
    rule.pendingInvoiceId !== null ||
    snapshot.customer.deleted
  )
    return emptyDecision();
  const { members: _, ...alone } = { ...snapshot, subscription: null, schedule: null, openInvoices: [], pendingItems: [] };
  const draft = beginDecision(alone, context);
  const { asOf } = context;
  const { priced } = priceItem(alone, { amount: rule.amount, currency: rule.currency }, { itemId: '', usual: null });
  const { invoice } = composeInvoice(draft, {
    billingReason: 'manual',
    period: { start: asOf, end: asOf },
    lines: [
      {
        line: {
          ...{ ...priced, subscriptionItemId: null, description: rule.name ?? 'Prepaid credit', period: { start: asOf, end: asOf } },
          ...{ proration: false, creditedInvoiceId: null, creditedLineId: null, discountable: false, metadata: {} },
        },
        taxRateIds: [],
        covers: null,
      },
    ],
    pending: [],
    currency: rule.currency,
    autoAdvance: true,
    graceSeconds: 0,
  });
  const month = monthOf(asOf, zoneOf(snapshot));
  draft.decision.topUps = [
    {
      ...rule,
      count: number,
      month,
      monthCount: rule.month === month ? rule.monthCount + 1 : 1,
      pendingInvoiceId: invoice.id,
      latestInvoiceId: invoice.id,
      updatedAt: asOf,
    },
  ];
  emit(draft, 'billing.credit_top_up.triggered', 'credit_top_up', rule.id);
  return finishDecision(draft);
}
