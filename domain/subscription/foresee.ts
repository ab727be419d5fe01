import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { CreditGrant } from '../credits/grant.ts';
import type { Decision, IdSource } from '../decision.ts';
import { decideFinalization } from '../invoicing/finalize-invoice.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import type { Instant } from '../time.ts';
import type { MeteredUsage } from '../usage/usage-period.ts';
import { nextOccasion } from './next-by-itself.ts';
import { isOnTrial } from './start-trial.ts';
import { nextStatus } from './transitions.ts';

/** The snapshot as it would be read once the decision were written. What the decision bills counts as paid: it is in no list of open invoices. */
export function applyDecision(snapshot: BillingSnapshot, decision: Decision): BillingSnapshot {
  const consumed = new Set([...decision.pendingItems.consume.map(({ id }) => id), ...decision.pendingItems.remove]);
  const shrinks = new Map(decision.billed.shrink.map((shrink) => [shrink.id, shrink]));
  const attached = new Map(decision.billed.attach.map(({ invoiceItemId, ...place }) => [invoiceItemId, place]));
  const changed = new Map(decision.invoices.map((invoice) => [invoice.id, invoice]));
  return {
    ...snapshot,
    subscription: decision.subscription ?? snapshot.subscription,
    schedule: decision.schedule ?? snapshot.schedule,
    customer: {
      ...snapshot.customer,
      currency: snapshot.customer.currency ?? decision.customerCurrency,
      balance: decision.balance.at(-1)?.endingBalance ?? snapshot.customer.balance,
      ...(decision.customerDiscount === undefined ? {} : { discount: decision.customerDiscount }),
    },
    pendingItems: [...snapshot.pendingItems, ...decision.pendingItems.insert].filter(({ id }) => !consumed.has(id)),
    customerItems: snapshot.customerItems.filter(({ id }) => !consumed.has(id)),
    billed: [
      ...snapshot.billed.map((row) => {
        const shrink = shrinks.get(row.id);
        const place = row.invoiceItemId === null ? undefined : attached.get(row.invoiceItemId);
        return { ...row, ...place, ...(shrink === undefined ? {} : { end: shrink.end, credited: shrink.credited }) };
      }),
      ...decision.billed.insert,
    ],
    creditGrants: withMoved(snapshot.creditGrants ?? [], decision.credits.grants),
    ...(snapshot.usage === undefined ? {} : { usage: withDecided(snapshot.usage, decision.usage) }),
    openInvoices: snapshot.openInvoices
      .map((invoice) => changed.get(invoice.id) ?? invoice)
      .filter(({ status }) => status === 'draft' || status === 'open'),
  };
}

const withMoved = (grants: CreditGrant[], moved: CreditGrant[]): CreditGrant[] => [
  ...grants.filter(({ id }) => !moved.some((grant) => grant.id === id)),
  ...moved,
];

/** Stretches that were billed are billed, and what has come late to others is. */
const withDecided = (usage: MeteredUsage, { insert, change }: Decision['usage']): MeteredUsage => {
  const changed = new Set(change.map(({ id }) => id));
  const settled = [
    ...usage.periods.filter(({ id }) => !changed.has(id)),
    ...[...change, ...insert].map((period) => ({ ...period, changed: false })),
  ];
  return { ...usage, periods: settled };
};

/** The invoice a decision makes, as against those it only credits or closes. */
export const madeBy = (decision: Decision, snapshot: BillingSnapshot): Invoice | undefined =>
  decision.invoices.find((invoice) => !snapshot.openInvoices.some((open) => open.id === invoice.id));

/**
 * What the subscription does next by itself, decided for the instant at which it is due by the very function that will do it; null where it does nothing any more. A first
 * invoice that waits for its payment counts as paid. A scheduled change comes before the renewal of the same instant.
 */
function nextByItself(
  given: BillingSnapshot,
  newId: IdSource,
): { at: Instant; isBoundary: boolean; snapshot: BillingSnapshot; decision: Decision } | null {
  const { subscription } = given;
  if (subscription === null) return null;
  const firstPaid = isOnTrial(subscription) ? 'trial_started' : 'first_invoice_paid';
  const running =
    subscription.status === 'incomplete'
      ? { ...subscription, status: nextStatus('incomplete', firstPaid), incompleteExpiresAt: null }
      : subscription;
  const occasion = nextOccasion(running);
  if (occasion === null) return null;
  const { at, isBoundary } = occasion;
  const snapshot = withDraftsFinalized({ ...given, subscription: running }, at, newId);
  const decision = occasion.decide(snapshot, { asOf: at, newId });
  return decision.subscription === null ? null : { at, isBoundary, snapshot, decision };
}

/** Drafts whose grace period is over by then are final, and have taken their share of the customer's balance. Those that an external engine has to tax stay drafts. */
function withDraftsFinalized(given: BillingSnapshot, upTo: Instant, newId: IdSource): BillingSnapshot {
  let snapshot = given;
  for (const { id, automaticallyFinalizesAt: at } of given.openInvoices) {
    const invoice = snapshot.openInvoices.find((open) => open.id === id);
    if (at === null || at > upTo || invoice?.taxStatus !== 'complete') continue;
    snapshot = applyDecision(snapshot, decideFinalization({ ...snapshot, invoice }, { automatic: true }, { asOf: at, newId }));
  }
  return snapshot;
}

/** The snapshot once everything is done that is due by `asOf`: between a boundary and its renewal, that of the new period. */
export function catchUp(given: BillingSnapshot, asOf: Instant, newId: IdSource): BillingSnapshot {
  let snapshot = given;
  // One that was never paid for is not renewed, it expires.
  while (snapshot.subscription?.status !== 'incomplete') {
    const next = nextByItself(snapshot, newId);
    if (next === null || next.at > asOf) return snapshot;
    snapshot = applyDecision(next.snapshot, next.decision);
  }
  return snapshot;
}

/**
 * The invoices of the next `periods` boundaries as they are once final, in their order; fewer where the subscription ends before, none where nothing is left to bill. A boundary that has
 * nothing to bill, as all that is left is paid for until a later one, does not count.
 */
export function foresee(given: BillingSnapshot, periods: number, newId: IdSource): Invoice[] {
  const invoices: Invoice[] = [];
  let snapshot: BillingSnapshot = { ...given, account: { ...given.account, invoiceGraceSeconds: 0 } };
  for (let period = 0, barren = 0; period < periods && barren < 2; ) {
    const next = nextByItself(snapshot, newId);
    if (next === null) break;
    const invoice = madeBy(next.decision, next.snapshot);
    if (invoice !== undefined) invoices.push(invoice);
    if (invoice !== undefined) [period, barren] = [period + 1, 0];
    else if (next.isBoundary) barren += 1;
    snapshot = applyDecision(next.snapshot, next.decision);
  }
  return invoices;
}
