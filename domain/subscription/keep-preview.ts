import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import type { DecisionContext } from '../invoicing/draft-decision.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import type { Instant } from '../time.ts';
import { applyDecision, foresee, madeBy } from './foresee.ts';

/**
 * What a preview promised: the instant it was priced at, what came out, and what went in, so that a refusal can say what has changed since. It crosses
 * Temporal with its command, so it holds ids and digests and nothing personal.
 */
export interface PreviewPins {
  /** The change is decided for this instant, whenever it is applied. */
  asOf: Instant;
  expiresAt: Instant;
  /** null: for whoever the customer will be. */
  customerId: string | null;
  /** null: a new subscription. */
  subscriptionId: string | null;
  /** Digest of the previewed invoice's lines, amounts and taxes, and of the subscription as it will be. */
  outcome: string;
  /** By name (`price:price_1`, `balance`, …): digests, or the value itself where it is short. */
  inputs: Record<string, string>;
}

/** A short digest of a text. Given by the caller, since nothing here may import it. */
export type Digest = (text: string) => string;
type Context = DecisionContext & { digest: Digest };

/** What is pinned of a decision that was tried on a snapshot. */
export const pinPreview = (snapshot: BillingSnapshot, decision: Decision, context: Context) => ({
  asOf: context.asOf,
  outcome: outcomeOf(snapshot, decision, context.digest),
  inputs: inputsOf(snapshot, context.digest),
});

/**
 * Decides as it was previewed, or refuses: the decision is made for the pinned instant, and its invoice (or, where it makes none, the next one with the change in it)
 * must be that of the preview, line by line. What is new is dated when it is written. Without pins it is just decided.
 * @throws Refusal preview_outdated, naming what has changed; parameter_invalid for a preview of something else; and what `decide` refuses
 */
export function decideAsPreviewed(
  pins: PreviewPins | undefined,
  snapshot: BillingSnapshot,
  context: Context,
  decide: (snapshot: BillingSnapshot, context: Context) => Decision,
): Decision {
  if (pins === undefined) return decide(snapshot, context);
  if (context.asOf > pins.expiresAt) throw outdated('it has expired');
  const isOthers = pins.customerId !== null && pins.customerId !== snapshot.customer.id;
  if (isOthers || pins.subscriptionId !== (snapshot.subscription?.id ?? null)) {
    throw new Refusal('parameter_invalid', 'The preview was made for another customer or subscription.', 'preview_token');
  }
  const inputs = inputsOf(snapshot, context.digest);
  const changed = whatChanged(pins.inputs, inputs);
  // What was decided in between was decided for a later instant than this would be.
  if (inputs['subscription'] !== pins.inputs['subscription']) throw outdated(changed.join('; '));
  let decision: Decision;
  try {
    decision = decide(snapshot, { ...context, asOf: pins.asOf });
  } catch (error) {
    // What was previewed was possible then.
    if (error instanceof Refusal && changed.length > 0) throw outdated(`${changed.join('; ')}. ${error.message}`);
    throw error;
  }
  if (outcomeOf(snapshot, decision, context.digest) !== pins.outcome) {
    throw outdated(changed.length > 0 ? changed.join('; ') : 'the request is not the one that was previewed');
  }
  return dateAt(decision, pins.asOf, context.asOf);
}

const outdated = (why: string): Refusal =>
  new Refusal(
    'preview_outdated',
    `The preview no longer holds: ${why.replace(/\.$/, '')}. Nothing was changed; make a new preview.`,
    'preview_token',
  );

/** The preview is priced at `from`; its invoice, payments and bookings are of the day they are made. */
function dateAt(decision: Decision, from: Instant, to: Instant): Decision {
  const dated = <T extends Instant | null>(at: T): T => (at === from ? (to as T) : at);
  return {
    ...decision,
    invoices: decision.invoices.map((invoice) => ({
      ...invoice,
      createdAt: dated(invoice.createdAt),
      dueDate: invoice.dueDate !== null && invoice.createdAt === from ? invoice.dueDate + (to - from) : invoice.dueDate,
      finalizedAt: dated(invoice.finalizedAt),
      paidAt: dated(invoice.paidAt),
      voidedAt: dated(invoice.voidedAt),
    })),
    balance: decision.balance.map((moved) => ({ ...moved, createdAt: dated(moved.createdAt) })),
    credits: {
      ...decision.credits,
      transactions: decision.credits.transactions.map((moved) => ({
        ...moved,
        effectiveAt: dated(moved.effectiveAt),
        createdAt: dated(moved.createdAt),
      })),
    },
    journal: decision.journal.map((booked) => ({ ...booked, effectiveAt: dated(booked.effectiveAt) })),
  };
}

function outcomeOf(snapshot: BillingSnapshot, decision: Decision, digest: Digest): string {
  let made = 0;
  const newId = (prefix: string): string => `${prefix}_${++made}`;
  const { usage: _, ...after } = applyDecision(snapshot, decision);
  const invoice = madeBy(decision, snapshot) ?? foresee(after, 1, newId)[0] ?? null;
  // The next invoice is taken without usage: it goes on coming, and nobody has changed anything by it.
  // Whether it is paid up says nothing about what was previewed.
  const text = JSON.stringify([invoice && moneyOf(invoice), essence(after.subscription && { ...after.subscription, status: undefined })]);
  // A price made in passing has another id when it is applied; what it says is the same.
  const inline = Object.values(snapshot.prices).filter(({ madeFor }) => madeFor !== null);
  return digest(
    inline.reduce((told, price) => told.replaceAll(JSON.stringify(price.id), JSON.stringify([price.productId, essence(price)])), text),
  );
}

/** All that money is made of; words and names aside. */
const moneyOf = (invoice: Invoice) =>
  essence({
    billingReason: invoice.billingReason,
    currency: invoice.currency,
    periodStart: invoice.periodStart,
    periodEnd: invoice.periodEnd,
    lines: invoice.lines.map(({ priceId, quantity, unitAmountDecimal, amount, period, proration, discountAmounts = [], taxes }) => ({
      ...{ priceId, quantity, unitAmountDecimal, amount, period, proration },
      discounts: discountAmounts.map((discount) => discount.amount),
      taxes: taxes.map(({ displayName: _, ...tax }) => tax),
    })),
    subtotal: invoice.subtotal,
    total: invoice.total,
    startingBalance: invoice.startingBalance,
    endingBalance: invoice.endingBalance,
    amountDue: invoice.amountDue,
    amountRemaining: invoice.amountRemaining,
  });

/** Fields that describe and decide nothing. */
const WORDS = [
  'revision',
  'trialReminderAt',
  'metadata',
  'description',
  'name',
  'displayName',
  'nickname',
  'lookupKey',
  'madeFor',
  'createdAt',
  'updatedAt',
  'cancellationDetails',
];
const isWord = (key: string): boolean => WORDS.includes(key) || (/(^i|I)d$/.test(key) && key !== 'priceId');

/** The value with its keys in order, without ids and words. */
function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([key, inner]) => !isWord(key) && inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, essence(inner)]);
}

function inputsOf(snapshot: BillingSnapshot, digest: Digest): Record<string, string> {
  const { account, customer, subscription } = snapshot;
  const short = (value: unknown): string => digest(JSON.stringify(essence(value))).slice(0, 10);
  return {
    balance: String(customer.balance),
    credits: short((snapshot.creditGrants ?? []).filter(({ remaining }) => remaining > 0)),
    customer: short([customer.taxExempt, customer.defaultTaxRateIds, customer.currency, customer.billingTimezone]),
    discount: short(customer.discount ?? null),
    account: short([account.defaultTaxRateIds, account.taxCalculator, account.prorationBasis]),
    ...(subscription === null
      ? {}
      : {
          subscription: short({ ...subscription, status: undefined }),
          pending: short(
            [...snapshot.pendingItems, ...snapshot.customerItems].map(({ line, taxRateIds }) => [line.amount, line.period, taxRateIds]),
          ),
          open: short(snapshot.openInvoices.map(({ status, amountRemaining }) => [status, amountRemaining])),
        }),
    ...Object.fromEntries(Object.values(snapshot.prices).map((price) => [`price:${price.id}`, short(price)])),
    ...Object.fromEntries(Object.values(snapshot.taxRates).map((rate) => [`tax_rate:${rate.id}`, short(rate)])),
  };
}

/** A sentence for each input that both sides know and that is not what it was. */
function whatChanged(before: Record<string, string>, now: Record<string, string>): string[] {
  const changed = Object.keys(before).filter((name) => now[name] !== undefined && now[name] !== before[name]);
  return changed.map((name) => {
    const [kind = name, id] = name.split(/:(.*)/s, 2);
    switch (kind) {
      case 'balance':
        return `the customer's balance is ${now[name]} and was ${before[name]}`;
      case 'credits':
        return "the customer's prepaid credits have changed";
      case 'customer':
        return "the customer's tax settings, currency or time zone have changed";
      case 'discount':
        return "the customer's discount has begun, changed or ended";
      case 'account':
        return "the account's tax rates, tax calculator or proration basis have changed";
      case 'subscription':
        return 'the subscription has been changed or renewed since';
      case 'pending':
        return 'the items that wait for the next invoice have changed';
      case 'open':
        return 'an open invoice of the subscription has come, gone or been paid';
      default:
        return `the ${kind === 'price' ? 'price' : 'tax rate'} ${id} has changed`;
    }
  });
}
