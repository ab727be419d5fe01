import type { Account } from '../../domain/account.ts';
import type { BillingSnapshot } from '../../domain/billing-snapshot.ts';
import type { Interval, Price, Product } from '../../domain/catalog/price.ts';
import type { CreditGrant } from '../../domain/credits/grant.ts';
import type { CreditTopUp } from '../../domain/credits/low-credit.ts';
import type { Customer } from '../../domain/customer.ts';
import type { Decision, OutboxEvent } from '../../domain/decision.ts';
import type { Coupon, PromotionCode, Restrictions } from '../../domain/discounts/coupon.ts';
import type { Discount } from '../../domain/discounts/discount.ts';
import type { Invoice, InvoiceItem } from '../../domain/invoicing/invoice.ts';
import type { JournalTransaction, LedgerAccount } from '../../domain/ledger/journal.ts';
import type { PaymentAttempt, PaymentMethod } from '../../domain/payments/payment.ts';
import { decideAttemptOutcome } from '../../domain/payments/settle-attempt.ts';
import { decideAttempt } from '../../domain/payments/start-attempt.ts';
import type { SubscriptionSchedule } from '../../domain/schedule/schedule.ts';
import type { ScheduledChange } from '../../domain/subscription/scheduled-change.ts';
import type { BilledPeriod, Subscription } from '../../domain/subscription/subscription.ts';
import type { TaxRate } from '../../domain/tax/tax-rate.ts';
import { type Instant, instant } from '../../domain/time.ts';
import type { Meter } from '../../domain/usage/meter.ts';
import type { UsagePeriod } from '../../domain/usage/usage-period.ts';
import { type MeteredEvent, usageAt } from './memory-usage.ts';

/** Midnight UTC of a date, or an instant in full. */
export const on = (date: string): Instant => instant(date.length === 10 ? `${date}T00:00:00Z` : date);

export const anAccount = (patch: Partial<Account> = {}): Account => ({
  id: 'acct_1',
  name: 'Seller',
  livemode: false,
  billingTimezone: 'UTC',
  prorationBasis: 'day',
  defaultTaxRateIds: [],
  taxCalculator: 'manual',
  dunningPolicy: { retryDelays: [259_200], hardDeclines: ['stolen_card'], terminalAction: 'cancel' },
  invoiceGraceSeconds: 0,
  invoiceNumberPrefix: 'PER',
  seller: { name: 'Seller', email: 'billing@seller.test', address: null },
  ...patch,
});

export const aCustomer = (patch: Partial<Customer> = {}): Customer => ({
  id: 'cus_1',
  name: 'Ada',
  email: 'ada@buyer.test',
  phone: null,
  description: null,
  address: null,
  currency: null,
  balance: 0,
  defaultPaymentMethodId: 'pm_1',
  defaultTaxRateIds: [],
  taxExempt: 'none',
  billingTimezone: null,
  externalId: null,
  metadata: {},
  deleted: false,
  createdAt: 0,
  ...patch,
});

const aCard: PaymentMethod = {
  id: 'pm_1',
  customerId: 'cus_1',
  type: 'card',
  gateway: 'sandbox',
  gatewayReference: 'pm_card_visa',
  card: { brand: 'visa', last4: '4242', expMonth: 12, expYear: 2099, country: 'US', fingerprint: 'fp_1' },
  metadata: {},
  createdAt: 0,
};

/**
 * The database in memory: applies decisions and answers with snapshots, and refuses whatever the real one's constraints refuse (overlapping coverage, credits beyond what
 * was billed, sums that do not add up, a journal out of balance, changed money of a finalised invoice). For lives that are simulated without IO.
 */
export class MemoryBook {
  account: Account;
  customer: Customer;
  subscription: Subscription | null = null;
  paymentMethods: PaymentMethod[] = [aCard];
  readonly prices: Record<string, Price> = {};
  readonly products: Record<string, Product> = {};
  readonly taxRates: Record<string, TaxRate> = {};
  readonly coupons: Record<string, Coupon> = {};
  readonly promotionCodes: Record<string, PromotionCode> = {};
  readonly discounts = new Map<string, Discount>();
  readonly invoices = new Map<string, Invoice>();
  readonly pendingItems = new Map<string, InvoiceItem>();
  readonly billed = new Map<string, BilledPeriod>();
  readonly meters: Record<string, Meter> = {};
  /** What was used, in the order in which it was reported. */
  readonly used: MeteredEvent[] = [];
  readonly usage = new Map<string, UsagePeriod>();
  readonly creditGrants = new Map<string, CreditGrant>();
  readonly topUps = new Map<string, CreditTopUp>();
  readonly attempts = new Map<string, PaymentAttempt>();
  readonly journal: JournalTransaction[] = [];
  readonly scheduledChanges = new Map<string, ScheduledChange>();
  schedule: SubscriptionSchedule | null = null;
  readonly events: OutboxEvent[] = [];
  #operations = 0;
  #numbers = 0;

  constructor(parts: { account?: Partial<Account>; customer?: Partial<Customer> } = {}) {
    this.account = anAccount(parts.account);
    this.customer = aCustomer(parts.customer);
  }

  /** A per-seat price in minor units, "2000 a month", with a product of its own named after it. */
  price(
    id: string,
    unitAmountDecimal: string,
    interval: Interval | null = 'month',
    patch: Partial<Price> & { intervalCount?: number } = {},
  ): string {
    const { intervalCount = 1, ...rest } = patch;
    const productId = `prod_${id}`;
    this.products[productId] = {
      id: productId,
      name: id,
      description: null,
      active: true,
      defaultPriceId: null,
      unitLabel: 'seat',
      externalId: null,
      metadata: {},
      createdAt: 0,
      updatedAt: 0,
    };
    this.prices[id] = {
      id,
      productId,
      currency: 'eur',
      unitAmountDecimal,
      billingScheme: 'per_unit',
      tiersMode: null,
      tiers: null,
      transformQuantity: null,
      currencyOptions: {},
      madeFor: null,
      recurring: interval && { interval, intervalCount, usageType: 'licensed', meterId: null },
      taxBehavior: 'unspecified',
      active: true,
      nickname: null,
      lookupKey: null,
      externalId: null,
      metadata: {},
      createdAt: 0,
      ...rest,
    };
    return id;
  }

  taxRate(id: string, percentage: string, inclusive = false): string {
    this.taxRates[id] = {
      id,
      displayName: id,
      description: null,
      percentage,
      inclusive,
      active: true,
      country: null,
      state: null,
      jurisdiction: null,
      taxType: null,
      metadata: {},
      createdAt: 0,
    };
    return id;
  }

  /** A percentage ("20") or an amount off in euro (2000); redeemed as often as one likes, unless told. */
  coupon(id: string, off: string | number, patch: Partial<Coupon> = {}): string {
    this.coupons[id] = {
      id,
      name: id,
      percentOff: typeof off === 'string' ? off : null,
      amountOff: typeof off === 'number' ? off : null,
      currency: typeof off === 'number' ? 'eur' : null,
      currencyOptions: {},
      duration: 'forever',
      durationInMonths: null,
      appliesTo: null,
      maxRedemptions: null,
      redeemBy: null,
      timesRedeemed: 0,
      metadata: {},
      deleted: false,
      createdAt: 0,
      ...patch,
    };
    return id;
  }

  promotionCode(
    id: string,
    couponId: string,
    patch: Partial<Omit<PromotionCode, 'restrictions'>> & { restrictions?: Partial<Restrictions> } = {},
  ): string {
    const { restrictions, ...rest } = patch;
    this.promotionCodes[id] = {
      id,
      code: id.toUpperCase(),
      couponId,
      active: true,
      customerId: null,
      expiresAt: null,
      maxRedemptions: null,
      timesRedeemed: 0,
      metadata: {},
      createdAt: 0,
      ...rest,
      restrictions: { firstTimeTransaction: false, minimumAmount: null, minimumAmountCurrency: null, currencyOptions: {}, ...restrictions },
    };
    return id;
  }

  /** What the database would answer: see `db/billing-snapshot.ts`. */
  snapshot(about: { invoiceId?: string; itemId?: string; asOf?: Instant } = {}): BillingSnapshot {
    const { subscription } = this;
    const usage =
      subscription && about.asOf !== undefined && Object.keys(this.meters).length > 0
        ? { usage: usageAt(this, subscription, about.asOf) }
        : {};
    return structuredClone({
      account: this.account,
      customer: this.customer,
      subscription,
      prices: this.prices,
      products: this.products,
      taxRates: this.taxRates,
      coupons: this.coupons,
      promotionCodes: this.promotionCodes,
      trialedProductIds: [...this.invoices.values()]
        .flatMap(({ lines }) => lines)
        .flatMap(({ explanation, productId }) => (explanation.rule === 'trial' && productId !== null ? [productId] : [])),
      hasPaidBefore: [...this.invoices.values()].some((invoice) => invoice.amountPaid > 0),
      billed: [...this.billed.values()]
        .filter((row) => subscription !== null && row.end > subscription.currentPeriodStart)
        .sort((a, b) => a.subscriptionItemId.localeCompare(b.subscriptionItemId) || a.start - b.start),
      pendingItems: [...this.pendingItems.values()].filter((item) => item.invoiceId === null && item.subscriptionId !== null),
      customerItems: [...this.pendingItems.values()].filter((item) => item.invoiceId === null && item.subscriptionId === null),
      item: about.itemId === undefined ? null : (this.pendingItems.get(about.itemId) ?? null),
      openInvoices: [...this.invoices.values()].filter((invoice) => invoice.status === 'draft' || invoice.status === 'open'),
      invoice: about.invoiceId === undefined ? null : this.invoice(about.invoiceId),
      creditGrants: [...this.creditGrants.values()],
      topUps: [...this.topUps.values()],
      attempts: [...this.attempts.values()].filter((attempt) => attempt.invoiceId === about.invoiceId),
      schedule: this.schedule,
      paymentMethods: this.paymentMethods,
      ...usage,
    });
  }

  /** Ids of one operation, the same for the same name. */
  context(asOf: Instant, operation?: string): { asOf: Instant; newId: (prefix: string) => string } {
    const name = operation ?? String(++this.#operations);
    let n = 0;
    return { asOf, newId: (prefix) => `${prefix}_${name}x${++n}` };
  }

  /** Snapshot -> decide -> record. */
  do(
    asOf: Instant,
    decide: (snapshot: BillingSnapshot, context: ReturnType<MemoryBook['context']>) => Decision,
    about: { invoiceId?: string; itemId?: string } = {},
  ): Decision {
    const decision = decide(this.snapshot({ ...about, asOf }), this.context(asOf));
    this.record(decision);
    return decision;
  }

  record(given: Decision): void {
    const decision = structuredClone(given);
    if (decision.customerCurrency !== null)
      this.customer = { ...this.customer, currency: this.customer.currency ?? decision.customerCurrency };
    if (decision.subscription) this.subscription = decision.subscription;
    if (decision.customerDiscount !== undefined) this.customer = { ...this.customer, discount: decision.customerDiscount };
    for (const discount of decision.discounts) this.discounts.set(discount.id, discount);
    for (const { couponId, promotionCodeId } of decision.redemptions) this.#redeem(couponId, promotionCodeId);
    this.#checkDiscounts();
    if (decision.schedule) this.schedule = decision.schedule;
    for (const scheduled of decision.scheduledChanges) this.scheduledChanges.set(scheduled.id, scheduled);
    this.#checkScheduled();
    for (const invoice of decision.invoices) this.#write(invoice);
    for (const { id } of decision.deletedInvoices) must(this.invoices.delete(id) || null, id);
    for (const item of decision.pendingItems.insert) this.pendingItems.set(item.id, item);
    for (const item of decision.pendingItems.change) this.pendingItems.set(item.id, item);
    for (const { id, invoiceId } of decision.pendingItems.consume)
      this.pendingItems.set(id, { ...must(this.pendingItems.get(id), id), invoiceId });
    for (const { id, end, credited } of decision.billed.shrink) this.billed.set(id, { ...must(this.billed.get(id), id), end, credited });
    for (const row of decision.billed.insert) this.billed.set(row.id, row);
    for (const { invoiceItemId, invoiceId, invoiceLineId } of decision.billed.attach) {
      for (const row of this.billed.values())
        if (row.invoiceItemId === invoiceItemId) this.billed.set(row.id, { ...row, invoiceId, invoiceLineId });
    }
    for (const period of [...decision.usage.insert, ...decision.usage.change]) this.usage.set(period.id, period);
    for (const { invoiceItemId, invoiceId, invoiceLineId } of decision.billed.attach) {
      for (const period of this.usage.values())
        if (period.invoiceItemId === invoiceItemId) this.usage.set(period.id, { ...period, invoiceId, invoiceLineId });
    }
    for (const id of decision.pendingItems.remove) must(this.pendingItems.delete(id) || null, id);
    if (decision.attempt) this.attempts.set(decision.attempt.id, decision.attempt);
    for (const moved of decision.balance) {
      if (this.customer.balance + moved.amount !== moved.endingBalance) throw new Error('a balance transaction does not add up');
      this.customer = { ...this.customer, balance: moved.endingBalance };
    }
    for (const grant of decision.credits.grants)
      if (grant.recurring !== undefined)
        this.creditGrants.set(grant.id, { ...grant, remaining: this.creditGrants.get(grant.id)?.remaining ?? 0 });
    for (const moved of decision.credits.transactions) {
      const grant = must(this.creditGrants.get(moved.grantId), moved.grantId);
      const remaining = grant.remaining + moved.amount;
      if (remaining < 0 || remaining > grant.amount) throw new Error(`${grant.id} has ${remaining} of ${grant.amount} left`);
      this.creditGrants.set(grant.id, { ...grant, remaining });
    }
    for (const grant of decision.credits.grants)
      if (this.creditGrants.get(grant.id)?.remaining !== grant.remaining) throw new Error(`the movements of ${grant.id} do not add up`);
    for (const topUp of decision.topUps ?? []) this.topUps.set(topUp.id, topUp);
    this.journal.push(...decision.journal);
    this.events.push(...decision.events);
    this.#checkCoverage();
    for (const { entries, kind } of decision.journal)
      if (total(entries.map((entry) => entry.amount)) !== 0) throw new Error(`${kind} does not sum to zero`);
  }

  #write(invoice: Invoice): void {
    const before = this.invoices.get(invoice.id);
    const fixed = ({ lines, total, tax, amountDue, number, customer, seller }: Invoice) =>
      JSON.stringify({ lines, total, tax, amountDue, number, customer, seller });
    if (before?.finalizedAt != null && fixed(before) !== fixed({ ...invoice, number: before.number }))
      throw new Error(`the finalised invoice ${invoice.id} changed`);
    if (invoice.amountDue !== invoice.amountPaid + invoice.amountCredited + invoice.amountRemaining)
      throw new Error(`${invoice.id}: due is not paid + credited + remaining`);
    if (Math.min(invoice.amountDue, invoice.amountPaid, invoice.amountCredited, invoice.amountRemaining) < 0)
      throw new Error(`${invoice.id} has a negative sum`);
    if (invoice.subtotal !== total(invoice.lines.map((line) => line.amount)))
      throw new Error(`${invoice.id}: the subtotal is not the sum of the lines`);
    const taxes = invoice.lines.flatMap((line) => line.taxes);
    if (invoice.tax !== total(taxes.map((tax) => tax.amount)) || invoice.tax !== total(invoice.taxes.map((tax) => tax.amount)))
      throw new Error(`${invoice.id}: taxes do not add up`);
    const discount = total(invoice.lines.flatMap((line) => (line.discountAmounts ?? []).map(({ amount }) => amount)));
    if (invoice.total !== invoice.subtotal - discount + total(taxes.filter((tax) => !tax.inclusive).map((tax) => tax.amount)))
      throw new Error(`${invoice.id}: the total does not add up`);
    if (invoice.status === 'paid' && invoice.amountRemaining !== 0) throw new Error(`${invoice.id} is paid and owed`);
    const number =
      invoice.number ??
      before?.number ??
      (invoice.finalizedAt === null ? null : `${this.account.invoiceNumberPrefix}-${String(++this.#numbers).padStart(4, '0')}`);
    this.invoices.set(invoice.id, { ...invoice, number });
  }

  #redeem(couponId: string, promotionCodeId: string | null): void {
    for (const limited of [
      must(this.coupons[couponId], couponId),
      ...(promotionCodeId === null ? [] : [must(this.promotionCodes[promotionCodeId], promotionCodeId)]),
    ]) {
      limited.timesRedeemed += 1;
      if (limited.maxRedemptions !== null && limited.timesRedeemed > limited.maxRedemptions)
        throw new Error(`${limited.id} was redeemed too often`);
    }
  }

  /** What stands on the subscription and its customer is what has not ended of all there ever were, items of invoices aside. */
  #checkDiscounts(): void {
    const { discounts = [], items = [] } = this.subscription ?? {};
    const standing = [
      ...discounts,
      ...items.flatMap((item) => item.discounts ?? []),
      ...(this.customer.discount ? [this.customer.discount] : []),
    ];
    const alive = [...this.discounts.values()].filter(({ endedAt, invoiceItemId }) => endedAt === null && invoiceItemId === null);
    const order = (some: Discount[]) => JSON.stringify(some.map(({ id }) => id).sort());
    if (order(standing) !== order(alive)) throw new Error(`the discounts that stand are ${order(standing)} and should be ${order(alive)}`);
  }

  /** What stands on the subscription is what is still to come of all there ever were. */
  #checkScheduled(): void {
    const coming = [...this.scheduledChanges.values()].filter(({ status }) => status === 'scheduled');
    const order = (changes: ScheduledChange[]) => JSON.stringify(changes.toSorted((a, b) => a.id.localeCompare(b.id)));
    if (order(coming) !== order(this.subscription?.scheduledChanges ?? [])) throw new Error('the list of what is scheduled is wrong');
  }

  #checkCoverage(): void {
    const periods = [...this.usage.values()];
    for (const period of periods) {
      const clash = periods.find(
        (other) =>
          other !== period &&
          other.subscriptionItemId === period.subscriptionItemId &&
          Math.max(other.start, period.start) < Math.min(other.end, period.end),
      );
      if (clash) throw new Error(`${period.id} and ${clash.id} bill the same usage`);
    }
    const rows = [...this.billed.values()];
    for (const row of rows) {
      if (!(row.originalStart <= row.start && row.start <= row.end && row.end <= row.originalEnd))
        throw new Error(`${row.id}: coverage outside what was billed`);
      if (row.credited < 0 || row.credited > Math.max(row.amount, 0))
        throw new Error(`${row.id}: credited ${row.credited} of ${row.amount}`);
      const clash = rows.find(
        (other) =>
          other !== row &&
          other.subscriptionItemId === row.subscriptionItemId &&
          (other.component === null || row.component === null || other.component === row.component) &&
          Math.max(other.start, row.start) < Math.min(other.end, row.end),
      );
      if (clash) throw new Error(`${row.id} and ${clash.id} cover the same time`);
    }
  }

  /** Charges an invoice through the payment decisions; the card always works unless told. */
  pay(invoiceId: string, at: Instant, outcome: 'succeeded' | 'declined' = 'succeeded'): void {
    const context = this.context(at);
    const started = decideAttempt(this.snapshot({ invoiceId }), { paymentMethodId: null, operationId: `op_${invoiceId}_${at}` }, context);
    this.record(started.decision);
    if (!started.attempt) return;
    const result = {
      kind: outcome,
      reference: `ch_${started.attempt.id}`,
      declineCode: outcome === 'declined' ? 'card_declined' : null,
      message: null,
    };
    this.record(decideAttemptOutcome(this.snapshot({ invoiceId }), { attemptId: started.attempt.id, result }, this.context(at)).decision);
  }

  invoice(id: string): Invoice {
    return must(this.invoices.get(id), id);
  }

  /** In the order in which they were made. */
  get allInvoices(): Invoice[] {
    return [...this.invoices.values()];
  }

  get lastInvoice(): Invoice {
    return must(this.allInvoices.at(-1), 'invoice');
  }

  get living(): Subscription {
    return must(this.subscription, 'subscription');
  }

  /** Balance of a ledger account, debit positive. */
  ledger(account: LedgerAccount): number {
    return total(
      this.journal.flatMap(({ entries }) => entries.filter((entry) => entry.ledgerAccount === account).map((entry) => entry.amount)),
    );
  }

  /** Stretches of time that are covered for an item, joined where they touch. */
  coverage(itemId: string): { start: Instant; end: Instant }[] {
    const rows = [...this.billed.values()]
      .filter((row) => row.subscriptionItemId === itemId && row.end > row.start)
      .sort((a, b) => a.start - b.start);
    return rows.reduce<{ start: Instant; end: Instant }[]>((joined, { start, end }) => {
      const last = joined.at(-1);
      if (last && start <= last.end) last.end = Math.max(last.end, end);
      else joined.push({ start, end });
      return joined;
    }, []);
  }
}

const total = (amounts: number[]): number => amounts.reduce((a, b) => a + b, 0);

function must<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`there is no ${what}`);
  return value;
}
