import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Cycle } from '../catalog/price.ts';
import { currencyFor } from '../catalog/price-in.ts';
import type { DiscountWish } from '../discounts/discount.ts';
import { checkRedeemable } from '../discounts/redeem.ts';
import { Refusal } from '../errors.ts';
import { checkOneTimeItems } from '../subscription/bill-once.ts';
import {
  checkPaymentMethod,
  checkQuantity,
  checkTaxRates,
  checkTogether,
  checkUsageGte,
  recurringPrice,
} from '../subscription/check-items.ts';
import { boundary, type Instant, MAX_INSTANT, periodContaining } from '../time.ts';
import { collectionOf, type PhaseTerms, type SchedulePhase, type ScheduleSettings } from './schedule.ts';

/** As Stripe. */
export const MAX_PHASES = 10;

/** What the phases are planned against. */
export interface PhasePlan {
  start: Instant;
  asOf: Instant;
  zone: string;
  currency: string;
  /** Where the row of durations begins that the first phase is a step of; absent: with it. */
  row?: Instant | undefined;
}

/** The currency of a schedule: what its first phase says, the customer's where the first price is sold in it, else the price's own. */
export function currencyOf({ customer, prices }: BillingSnapshot, [first]: readonly PhaseTerms[]): string {
  const price = prices[first?.items[0]?.priceId ?? ''];
  return price === undefined ? (first?.currency ?? '') : currencyFor(price, first?.currency, customer.currency);
}

/**
 * The phases with their dates, one after another from `start`. Durations of months and years are counted from the beginning of their row, so that a ramp that starts on the 31st has
 * its steps on the ends of months and meets the renewals; one of days and weeks from the phase before. A phase without an end lasts one period of its shortest price.
 * A trial may only lead a schedule: its first phase, and those after it for as long as all of them are free.
 * @throws Refusal about `phases[n][…]`
 */
export function planPhases(snapshot: BillingSnapshot, terms: readonly PhaseTerms[], plan: PhasePlan): SchedulePhase[] {
  if (terms.length === 0) throw new Refusal('parameter_missing', 'A schedule needs at least one phase.', 'phases');
  if (terms.length > MAX_PHASES) throw new Refusal('parameter_invalid', `A schedule has at most ${MAX_PHASES} phases.`, 'phases');
  const phases: SchedulePhase[] = [];
  let start = plan.start;
  let row = rowOf(plan);
  terms.forEach((phase, index) => {
    const param = `phases[${index}]`;
    if (index > 0 && phase.start !== undefined && phase.start !== start)
      throw new Refusal('parameter_invalid', 'A phase begins where the one before ends.', `${param}[start_date]`);
    if (phase.duration !== undefined && phase.end !== undefined)
      throw new Refusal('parameter_invalid', 'You may only specify one of duration and end_date.', `${param}[duration]`);
    const cycle = checkPhase(snapshot, phase, plan, param);
    let end: Instant;
    if (phase.end !== undefined) {
      end = phase.end === 'now' ? plan.asOf : phase.end;
      row = { from: end, months: 0 };
    } else {
      const { interval, intervalCount } = phase.duration ?? cycle;
      const months = interval === 'month' ? intervalCount : interval === 'year' ? 12 * intervalCount : null;
      if (months !== null) {
        row = { ...row, months: row.months + months };
        end = boundary(row.from, { interval: 'month', intervalCount: row.months }, plan.zone, 1);
      } else {
        end = boundary(start, { interval, intervalCount }, plan.zone, 1);
        row = { from: end, months: 0 };
      }
    }
    if (end <= start || end > MAX_INSTANT)
      throw new Refusal('date_out_of_range', 'A phase must end after it begins.', `${param}[${phase.duration ? 'duration' : 'end_date'}]`);
    const trialEnd = trialOf(phase, start, end, plan, param);
    phases.push({
      start,
      end,
      items: phase.items,
      prorationBehavior: phase.prorationBehavior ?? 'create_prorations',
      billingCycleAnchor: phase.billingCycleAnchor ?? null,
      trialEnd,
      defaultPaymentMethodId: phase.defaultPaymentMethodId ?? null,
      defaultTaxRateIds: phase.defaultTaxRateIds ?? null,
      metadata: phase.metadata ?? {},
      ...(phase.discounts === undefined ? {} : { discounts: phase.discounts }),
      ...(phase.billingThresholds === undefined ? {} : { billingThresholds: phase.billingThresholds }),
      ...(phase.addInvoiceItems === undefined ? {} : { addInvoiceItems: phase.addInvoiceItems }),
      ...(phase.collectionMethod === undefined ? {} : { collectionMethod: phase.collectionMethod }),
      ...(phase.daysUntilDue === undefined ? {} : { daysUntilDue: phase.daysUntilDue }),
    });
    start = end;
  });
  checkTrials(phases, 0);
  return phases;
}

/** @throws Refusal about the trial of a phase that comes after one which is billed; `given`: the index of the first phase that the request names */
export function checkTrials(phases: readonly SchedulePhase[], given: number): void {
  const billed = phases.findIndex(({ trialEnd, end }) => trialEnd !== end);
  const late = phases.findIndex(({ trialEnd }, index) => trialEnd !== null && index > billed);
  if (billed < 0 || late < 0) return;
  throw new Refusal(
    'parameter_invalid',
    'A trial can only be the beginning of a schedule.',
    `phases[${Math.max(late - given, 0)}][trial_end]`,
  );
}

/** A step of a row of whole months goes on with it: February the 28th is followed by March the 31st where the row began on the 31st. */
function rowOf({ row, start, zone }: PhasePlan): { from: Instant; months: number } {
  if (row === undefined || row > start) return { from: start, months: 0 };
  const step = periodContaining(row, { interval: 'month', intervalCount: 1 }, zone, start);
  return step.start === start ? { from: row, months: step.n } : { from: start, months: 0 };
}

/** How long a leading trial lasts over the phases; null: none. */
export function leadingTrial(phases: readonly SchedulePhase[]): Instant | null {
  let end: Instant | null = null;
  for (const phase of phases) {
    if (phase.trialEnd === null) break;
    end = phase.trialEnd;
    if (phase.trialEnd !== phase.end) break;
  }
  return end;
}

function trialOf({ trial, trialEnd }: PhaseTerms, start: Instant, end: Instant, { asOf }: PhasePlan, param: string): Instant | null {
  if (trial && trialEnd !== undefined)
    throw new Refusal('parameter_invalid', 'You may only specify one of trial and trial_end.', `${param}[trial]`);
  if (trial) return end;
  if (trialEnd === undefined) return null;
  const at = trialEnd === 'now' ? asOf : trialEnd;
  if (at <= start) return null;
  if (at > end) throw new Refusal('date_out_of_range', 'The trial must end with its phase, or before.', `${param}[trial_end]`);
  return at;
}

/** @returns the shortest cycle of its prices */
function checkPhase(snapshot: BillingSnapshot, phase: PhaseTerms, { currency, asOf }: PhasePlan, param: string): Cycle {
  if (phase.currency !== undefined && phase.currency !== currency)
    throw new Refusal('currency_mismatch', `All phases have one currency, which is ${currency}.`, `${param}[currency]`);
  const redeems = (wishes: readonly DiscountWish[] | undefined, at: string): void =>
    checkRedeemable(snapshot, wishes ?? [], { asOf, currency, param: `${at}[discounts]` });
  redeems(phase.discounts, param);
  phase.items.forEach(({ priceId, quantity, taxRateIds, discounts, usageGte = null }, index) => {
    const at = `${param}[items][${index}]`;
    recurringPrice(snapshot, priceId, '', `${at}[price]`);
    checkQuantity(quantity, `${at}[quantity]`);
    checkTaxRates(snapshot, taxRateIds, `${at}[tax_rates]`);
    checkUsageGte(snapshot, { priceId, usageGte }, `${at}[billing_thresholds]`);
    redeems(discounts, at);
  });
  checkOneTimeItems(snapshot, phase.addInvoiceItems ?? [], { currency, madeFor: null, param: `${param}[add_invoice_items]` });
  const wishes = phase.items.map(({ priceId, quantity }, index) => ({ priceId, quantity, param: `${param}[items][${index}]` }));
  if (wishes.length === 0) throw new Refusal('parameter_missing', 'A phase needs at least one item.', `${param}[items]`);
  const cycle = checkTogether(snapshot, wishes, currency);
  checkTaxRates(snapshot, phase.defaultTaxRateIds ?? [], `${param}[default_tax_rates]`);
  within(`${param}[default_payment_method]`, () => checkPaymentMethod(snapshot, phase.defaultPaymentMethodId ?? null));
  return cycle;
}

/** Each phase has terms of payment, by itself or by the schedule's setting. @throws Refusal about `phases[n][invoice_settings][days_until_due]`; `given`: the index of the first phase that the request names */
export function checkCollections(phases: readonly SchedulePhase[], settings: ScheduleSettings, given: number): void {
  within('default_settings[invoice_settings][days_until_due]', () => collectionOf({}, settings));
  phases.forEach((phase, index) => {
    within(`phases[${Math.max(index - given, 0)}][invoice_settings][days_until_due]`, () => collectionOf(phase, settings));
  });
}

/** A refusal by the check is one about this parameter. */
function within(param: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw error.about(param);
  }
}
