import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import { followTopUps } from '../credits/follow-top-ups.ts';
import type { CreditGrant } from '../credits/grant.ts';
import { findLowCredit } from '../credits/low-credit.ts';
import { recurCredits } from '../credits/recur.ts';
import type { BalanceTransaction } from '../customer.ts';
import { type Decision, emptyDecision, type IdSource, type OutboxEvent } from '../decision.ts';
import { ID_PREFIX } from '../ids.ts';
import { sum } from '../money.ts';
import { endWithSubscription } from '../schedule/end-with-subscription.ts';
import type { ScheduledChange } from '../subscription/scheduled-change.ts';
import type { BilledShrink, Subscription } from '../subscription/subscription.ts';
import { hasEnded } from '../subscription/transitions.ts';
import type { Instant } from '../time.ts';
import type { EventType } from '../timeline/event-types.ts';
import type { Invoice, InvoiceItem } from './invoice.ts';

/** The one instant of a decision and where its ids come from. */
export interface DecisionContext {
  asOf: Instant;
  newId: IdSource;
  /** Where the engine decides by itself: how long what it bills stays a draft. Absent: somebody asks, and it is final at once. */
  graceSeconds?: number;
}

/**
 * A decision being written: the facts it started from and what it has changed so far, so that a second invoice of the same decision sees the balance and the
 * open invoices as the first one left them. It lives inside one decide function and never leaves it.
 */
export interface DecisionDraft extends DecisionContext {
  snapshot: BillingSnapshot;
  decision: Decision;
  /** The subscription as it is now; null where the decision is about none. */
  subscription: Subscription | null;
  /** The customer's balance as it is now (negative = credit). */
  balance: number;
  /** The customer's prepaid credit as it is now. */
  creditGrants: CreditGrant[];
  /** Draft and open invoices of the subscription as they are now. */
  openInvoices: Invoice[];
  /** What the decision does to the other subscriptions of consolidated invoices; `finishDecision` makes it a part of this one. */
  members: DecisionDraft[];
}

export function beginDecision(snapshot: BillingSnapshot, context: DecisionContext): DecisionDraft {
  return {
    ...context,
    snapshot,
    decision: emptyDecision(),
    subscription: snapshot.subscription,
    balance: snapshot.customer.balance,
    creditGrants: snapshot.creditGrants ?? [],
    openInvoices: snapshot.openInvoices,
    members: (snapshot.members ?? []).map((member) => beginDecision(member, context)),
  };
}

/** Writes an invoice into the decision, in place of an earlier version of it; the invoice written last stands last. */
export function putInvoice(draft: DecisionDraft, invoice: Invoice): void {
  draft.decision.invoices = [...draft.decision.invoices.filter((candidate) => candidate.id !== invoice.id), invoice];
  for (const each of [draft, ...draft.members]) {
    each.openInvoices = each.openInvoices
      .map((open) => (open.id === invoice.id ? invoice : open))
      .filter((open) => open.status === 'draft' || open.status === 'open');
  }
}

/** Moves the customer's balance by `amount` minor units (negative gives credit). Nothing is written for nothing. */
export function moveBalance(draft: DecisionDraft, type: BalanceTransaction['type'], amount: number, invoice: Invoice): void {
  if (amount === 0) return;
  draft.balance = sum([draft.balance, amount]);
  draft.decision.balance.push({
    id: draft.newId(ID_PREFIX.balanceTransaction),
    customerId: draft.snapshot.customer.id,
    type,
    amount,
    endingBalance: draft.balance,
    currency: invoice.currency,
    invoiceId: invoice.id,
    createdAt: draft.asOf,
  });
}

/** Coverage that ends earlier or was credited. Two shrinks of one row become one: the earlier end, the larger credit. */
export function shrinkCoverage(draft: DecisionDraft, shrinks: BilledShrink[]): void {
  for (const shrink of shrinks) {
    const { billed } = draft.decision;
    const known = billed.shrink.find((candidate) => candidate.id === shrink.id);
    const merged = known
      ? { id: shrink.id, end: Math.min(known.end, shrink.end), credited: Math.max(known.credited, shrink.credited) }
      : shrink;
    billed.shrink = [...billed.shrink.filter((candidate) => candidate.id !== shrink.id), merged];
  }
}

/** Takes pending items away: nobody will be billed for them, and nobody credited. */
export function removePending(draft: DecisionDraft, items: readonly InvoiceItem[]): void {
  for (const item of items) {
    draft.decision.pendingItems.remove.push(item.id);
    emit(draft, 'invoiceitem.deleted', 'invoiceitem', item.id);
  }
}

export function emit(
  draft: DecisionDraft,
  type: EventType,
  objectType: OutboxEvent['objectType'],
  objectId: string,
  previous: OutboxEvent['previous'] = null,
): void {
  draft.decision.events.push({ type, objectType, objectId, previous });
}

/** The subscription as it will be, so far. */
export function changeSubscription(draft: DecisionDraft, patch: Partial<Subscription>): Subscription {
  if (!draft.subscription) throw new Error('this decision is about a subscription, and there is none');
  draft.subscription = { ...draft.subscription, ...patch };
  return draft.subscription;
}

/**
 * Ends the writing: the subscription becomes part of the decision where it changed, with the event that names the fields as they were (Stripe's
 * `previous_attributes`, in our names). `type` replaces `customer.subscription.updated` at the beginning and the end of a life.
 */
export function finishDecision(draft: DecisionDraft, type: EventType = 'customer.subscription.updated'): Decision {
  tendScheduled(draft);
  tendSchedule(draft);
  tendCredits(draft);
  const before = draft.snapshot.subscription;
  const after = draft.subscription;
  if (after && before !== after) {
    const previous = before && changedFields(before, after);
    if (!previous || Object.keys(previous).length > 0) {
      draft.decision.subscription = after;
      const event = {
        type,
        objectType: 'subscription',
        objectId: after.id,
        previous: type === 'customer.subscription.updated' ? previous : null,
      } as const;
      if (before) draft.decision.events.push(event);
      else draft.decision.events.unshift(event);
    }
  }
  finishMembers(draft);
  tendTopUps(draft);
  return draft.decision;
}

/** What is scheduled for the period's end moves with it; nothing stays scheduled on a subscription that has ended. */
function tendScheduled(draft: DecisionDraft): void {
  const { subscription, asOf } = draft;
  if (!subscription?.scheduledChanges.length) return;
  const ended = hasEnded(subscription.status);
  const effectiveAt = subscription.currentPeriodEnd;
  const versions = subscription.scheduledChanges.flatMap((scheduled): ScheduledChange[] => {
    if (ended) return [{ ...scheduled, status: 'canceled', cancellationReason: 'subscription_ended', closedAt: asOf }];
    return scheduled.atPeriodEnd && scheduled.effectiveAt !== effectiveAt ? [{ ...scheduled, effectiveAt }] : [];
  });
  if (versions.length === 0) return;
  const kept = subscription.scheduledChanges.map((scheduled) => versions.find(({ id }) => id === scheduled.id) ?? scheduled);
  changeSubscription(draft, { scheduledChanges: ended ? [] : kept.sort((a, b) => a.effectiveAt - b.effectiveAt) });
  draft.decision.scheduledChanges.push(...versions);
  for (const { id } of versions)
    emit(draft, `customer.subscription.scheduled_change.${ended ? 'canceled' : 'updated'}`, 'scheduled_change', id);
}

/** A schedule ends with the subscription that it drives. */
function tendSchedule(draft: DecisionDraft): void {
  const { subscription, asOf } = draft;
  const { schedule } = draft.snapshot;
  if (schedule?.status !== 'active' || !subscription || subscription.scheduleId !== schedule.id || !hasEnded(subscription.status)) return;
  const ended = endWithSubscription(schedule, subscription, asOf);
  draft.decision.schedule = ended.schedule;
  changeSubscription(draft, { scheduleId: null });
  emit(draft, `subscription_schedule.${ended.event}`, 'subscription_schedule', schedule.id);
}

/** The credit that prices give for each period comes and goes with the periods of the subscription. */
function tendCredits(draft: DecisionDraft): void {
  const { snapshot, subscription, creditGrants, openInvoices, decision, asOf, newId } = draft;
  const { subscription: before, prices } = snapshot;
  if (!subscription) return;
  const { grants, transactions, journal } = recurCredits({
    ...{ before, after: subscription, grants: creditGrants, prices, invoices: [...openInvoices, ...decision.invoices], asOf, newId },
  });
  if (grants.length === 0) return;
  const ids = new Set(grants.map(({ after }) => after.id));
  const after = grants.map((grant) => grant.after);
  const others = <T extends { id: string }>(all: readonly T[]): T[] => all.filter(({ id }) => !ids.has(id));
  draft.creditGrants = [...others(creditGrants), ...after];
  decision.credits = {
    grants: [...others(decision.credits.grants), ...after],
    transactions: [...decision.credits.transactions, ...transactions],
  };
  decision.journal.push(...journal);
  for (const { before: was, after: is } of grants) {
    if (was === null) emit(draft, 'billing.credit_grant.created', 'credit_grant', is.id);
    else emit(draft, 'billing.credit_grant.updated', 'credit_grant', is.id, { expiresAt: was.expiresAt, remaining: was.remaining });
  }
  for (const { id } of transactions) emit(draft, 'billing.credit_balance_transaction.created', 'credit_balance_transaction', id);
}

/** The credit of a top-up comes with its payment, in one transaction; and what an invoice draws may leave so little that more is to be bought. */
function tendTopUps(draft: DecisionDraft): void {
  const { snapshot, decision, asOf, newId } = draft;
  const topUps = decision.topUps ?? snapshot.topUps ?? [];
  if (topUps.length === 0) return;
  const { invoices, events } = decision;
  const followed = followTopUps({ topUps, invoices, events, zone: zoneOf(snapshot), asOf, newId });
  for (const { topUp, did, granted } of followed) {
    decision.topUps = [...(decision.topUps ?? []).filter(({ id }) => id !== topUp.id), topUp];
    if (granted) {
      const { grant, transactions, journal } = granted;
      draft.creditGrants = [...draft.creditGrants, grant];
      decision.credits = {
        grants: [...decision.credits.grants, grant],
        transactions: [...decision.credits.transactions, ...transactions],
      };
      decision.journal.push(...journal);
      emit(draft, 'billing.credit_grant.created', 'credit_grant', grant.id);
      for (const { id } of transactions) emit(draft, 'billing.credit_balance_transaction.created', 'credit_balance_transaction', id);
    }
    emit(draft, `billing.credit_top_up.${did}`, 'credit_top_up', topUp.id);
  }
  if (!decision.credits.transactions.some(({ type }) => type === 'credits_applied')) return;
  const low = findLowCredit(snapshot, draft.creditGrants, asOf);
  if (low !== null) decision.lowCredit = low;
}

function changedFields(before: Subscription, after: Subscription): Record<string, unknown> {
  const previous: Record<string, unknown> = {};
  for (const key of Object.keys(before) as (keyof Subscription)[]) {
    if (isSame(before[key], after[key])) continue;
    const pending = before.pendingUpdate;
    previous[key] = key === 'pendingUpdate' ? pending && { invoiceId: pending.invoiceId, expiresAt: pending.expiresAt } : before[key];
  }
  return previous;
}

const isSame = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));

/** Each member is a decision of its own, about another subscription of the same customer: what it does is done here. */
function finishMembers(draft: DecisionDraft): void {
  const { decision } = draft;
  for (const member of draft.members) {
    const before = member.snapshot.subscription;
    member.creditGrants = draft.creditGrants;
    const hasJustEnded = before && member.subscription && hasEnded(member.subscription.status) && !hasEnded(before.status);
    const own = finishDecision(member, hasJustEnded ? 'customer.subscription.deleted' : undefined);
    draft.creditGrants = member.creditGrants;
    if (own.subscription) decision.others = [...(decision.others ?? []), { subscription: own.subscription, schedule: own.schedule }];
    decision.invoices = [...decision.invoices.filter(({ id }) => !own.invoices.some((invoice) => invoice.id === id)), ...own.invoices];
    decision.pendingItems.remove.push(...own.pendingItems.remove);
    shrinkCoverage(draft, own.billed.shrink);
    decision.billed.insert.push(...own.billed.insert);
    decision.balance.push(...own.balance);
    decision.credits.grants = [
      ...decision.credits.grants.filter(({ id }) => !own.credits.grants.some((grant) => grant.id === id)),
      ...own.credits.grants,
    ];
    decision.credits.transactions.push(...own.credits.transactions);
    decision.journal.push(...own.journal);
    decision.discounts.push(...own.discounts);
    decision.scheduledChanges.push(...own.scheduledChanges);
    decision.events.push(...own.events);
  }
  draft.members = [];
}

/**
 * Does something about each subscription that an invoice bills: that of the decision, or those of a consolidated invoice, one after the other. The customer's money is one.
 */
export function forEachBilled(draft: DecisionDraft, invoice: Invoice, act: (billed: DecisionDraft) => void): void {
  const isOfMember = draft.members.some(({ subscription }) => subscription?.id === invoice.subscriptionId);
  const subscriptionIds = invoice.subscriptionIds ?? (isOfMember ? [invoice.subscriptionId] : null);
  if (subscriptionIds === null) {
    act(draft);
    return;
  }
  if (draft.subscription && subscriptionIds.includes(draft.subscription.id)) act(draft);
  for (const member of draft.members) {
    if (!member.subscription || !subscriptionIds.includes(member.subscription.id)) continue;
    member.balance = draft.balance;
    member.creditGrants = draft.creditGrants;
    act(member);
    draft.balance = member.balance;
    draft.creditGrants = member.creditGrants;
  }
}
