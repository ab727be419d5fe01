import { type AccountTransaction, withAccount } from '../db/client.ts';
import { findSchedule } from '../db/schedules.ts';
import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Customer } from '../domain/customer.ts';
import { Refusal } from '../domain/errors.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import { decideNewItem, type NewItem } from '../domain/invoicing/edit-item.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { ScheduleEdit } from '../domain/schedule/schedule.ts';
import { startSchedule } from '../domain/schedule/start-schedule.ts';
import { isScheduleOver } from '../domain/schedule/transitions.ts';
import { applyDecision, foresee, madeBy } from '../domain/subscription/foresee.ts';
import { pinPreview } from '../domain/subscription/keep-preview.ts';
import { addressFrom } from './address-input.ts';
import type { RequestContext } from './context.ts';
import { inTimeOf } from './customer-clock.ts';
import { contextAt, type DryRun, type Trial, tryChange, tryCreation, tryNothing, tryScheduleEdit, tryScheduling } from './dry-run.ts';
import { ApiError, badRequest, notFound } from './errors.ts';
import { type InlinePrices, inlinePrices } from './inline-prices.ts';
import { termsFrom } from './invoice-item-commands.ts';
import { randomId } from './new-id.ts';
import { listAnswer } from './paging.ts';
import { COMMAND_DETAILS, type Details, IN, invoiceOfNothing, refuse, tryCommand } from './preview-command.ts';
import { PREVIEW_PATIENCE, writePreviewToken } from './preview-token.ts';
import { presentInvoices } from './read-objects.ts';
import { creationOf, scheduleChangeFrom } from './schedule-input.ts';
import type { invoicePreview } from './schemas/invoice-preview.ts';
import { subscriptionCreate, subscriptionUpdate } from './schemas/subscriptions.ts';
import type { z } from './schemas/zod.ts';
import { subscriptionOf } from './subscription-commands.ts';
import { changeFrom, creationFrom, isSchedulingOnly, schedulingOf } from './subscription-input.ts';

type PreviewInput = z.output<typeof invoicePreview>;

/**
 * What would be billed, by the very functions that bill: nothing is written, nothing is reserved. Of an existing subscription: with `cancel_now`
 * the final invoice; with items and `always_invoice` (or a new cycle) the invoice of the change; else the next renewal with the change in it. With `periods` the
 * invoices of that many boundaries follow. The answer's token applies it as it is shown, or not at all.
 */
export async function previewInvoice(asked: RequestContext, params: PreviewInput) {
  if (params.schedule !== undefined || params.schedule_details !== undefined) return previewSchedule(asked, params);
  const { customer, subscription: subscriptionId } = params;
  if (customer === undefined && subscriptionId === undefined && params.customer_details === undefined) {
    throw badRequest('Missing required param: customer.', 'customer', 'parameter_missing');
  }
  const context = await inTimeOf(asked, subscriptionId === undefined ? { customerId: customer ?? '' } : { subscriptionId });
  const asOf = context.now();
  return withAccount(context.db, context.account.id, async (t) => {
    const items = itemsFrom(params);
    const trial: Trial = {
      asOf,
      mentioned: {
        priceIds: items.flatMap(({ priceId }) => priceId ?? []),
        taxRateIds: items.flatMap(({ taxRateIds }) => taxRateIds ?? []),
      },
      suppose: (snapshot) => withItems({ ...snapshot, customer: supposed(snapshot.customer, params) }, items, asOf),
    };
    const tried = subscriptionId === undefined ? await tryNew(t, params, trial) : await tryExisting(t, subscriptionId, params, trial);
    const invoices = invoicesOf(tried, params.periods ?? 1);
    if (invoices.length === 0 && params.subscription_details?.pause_at !== undefined) invoices.push(invoiceOfNothing(tried, asOf));
    if (invoices.length === 0) throw noInvoice(subscriptionId);
    const token = writePreviewToken(
      {
        ...pinPreview(tried.snapshot, tried.decision, contextAt(asOf)),
        expiresAt: asOf + PREVIEW_PATIENCE,
        customerId: isStranger(params) ? null : tried.snapshot.customer.id,
        subscriptionId: subscriptionId ?? null,
        ...(params.subscription_details?.proration_date === undefined ? {} : { prorationDate: params.subscription_details.proration_date }),
      },
      context.previewSecret,
    );
    const answers = (await presentInvoices(t, context.account, invoices.map(asPreview), true)).map((answer) =>
      isStranger(params) ? { ...answer, customer: null } : answer,
    );
    return {
      ...answers[0],
      preview_token: token,
      ...(params.periods === undefined ? {} : { upcoming: listAnswer('/v1/invoices/create_preview', answers, false) }),
    };
  });
}

/** What a schedule, new or changed, will bill from its start or from now on. Nothing can be applied by it, so it has no token. */
async function previewSchedule(asked: RequestContext, params: PreviewInput) {
  const { schedule: id, schedule_details: details, customer } = params;
  const others = {
    subscription: params.subscription,
    subscription_details: params.subscription_details,
    invoice_items: params.invoice_items,
  };
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined) throw badRequest(`You cannot combine ${name} with a schedule.`, name, 'parameters_exclusive');
  }
  if (id === undefined && customer === undefined) throw badRequest('Missing required param: customer.', 'customer', 'parameter_missing');
  const known = id === undefined ? null : await withAccount(asked.db, asked.account.id, (t) => findSchedule(t, id));
  if (id !== undefined && (known === null || (customer !== undefined && known.customerId !== customer)))
    throw notFound('subscription_schedule', id, 'schedule');
  if (known !== null && isScheduleOver(known.status)) throw noInvoice(undefined);
  const customerId = known?.customerId ?? customer ?? '';
  const context = await inTimeOf(asked, { customerId });
  const asOf = context.now();
  const trial: Trial = { asOf, suppose: (snapshot) => ({ ...snapshot, customer: supposed(snapshot.customer, params) }) };
  return withAccount(context.db, context.account.id, async (t) => {
    let edit: ScheduleEdit | null;
    if (known !== null) edit = scheduleChangeFrom({ ...details, proration_behavior: details?.proration_behavior ?? 'create_prorations' });
    else {
      const phases = details?.phases;
      if (phases === undefined)
        throw badRequest('Missing required param: schedule_details[phases].', 'schedule_details[phases]', 'parameter_missing');
      const start = phases[0]?.start_date ?? 'now';
      edit = creationOf(
        { customer: customerId, phases, start_date: start, end_behavior: details?.end_behavior },
        'sub_sched_none',
        'sub_none',
      );
    }
    const tried = await tryScheduleEdit(t, known, edit, trial);
    const starting = applyDecision(tried.snapshot, tried.decision);
    const { schedule } = starting;
    const started = schedule?.status === 'not_started' ? startSchedule(starting, schedule, contextAt(schedule.startsAt)) : null;
    const run: DryRun = started === null ? tried : { snapshot: starting, decision: started };
    const invoices = invoicesOf(run, params.periods ?? 1);
    if (invoices.length === 0) throw noInvoice(undefined);
    const answers = await presentInvoices(t, context.account, invoices.map(asPreview), true);
    return {
      ...answers[0],
      ...(params.periods === undefined ? {} : { upcoming: listAnswer('/v1/invoices/create_preview', answers, false) }),
    };
  });
}

/** What is invoiced at once, and at the next boundaries: at least one of them where there is nothing at once. */
export function invoicesOf({ snapshot, decision }: DryRun, periods: number): Invoice[] {
  const now = madeBy(decision, snapshot);
  const later = foresee(applyDecision(snapshot, decision), periods, randomId);
  return now === undefined ? later : [now, ...later];
}

export const asPreview = (invoice: Invoice): Invoice => ({
  ...invoice,
  id: `upcoming_${invoice.id}`,
  number: null,
  status: 'draft',
  amountPaid: 0,
  amountRemaining: invoice.amountDue,
  finalizedAt: null,
  paidAt: null,
});

const isStranger = (params: PreviewInput): boolean => params.customer === undefined && params.subscription === undefined;

/** The customer as `customer_details` would have them. */
const supposed = (customer: Customer, { customer_details: details }: PreviewInput): Customer => ({
  ...customer,
  ...(details?.tax_exempt === undefined ? {} : { taxExempt: details.tax_exempt }),
  ...(details?.address === undefined ? {} : { address: addressFrom(details.address) }),
});

const ITEMS = 'invoice_items';

const itemsFrom = ({ invoice_items: items = [] }: PreviewInput): NewItem[] =>
  items.map(({ price, unit_amount: unitAmount, ...item }, index) => {
    if (unitAmount !== undefined && item.unit_amount_decimal !== undefined) {
      throw badRequest(
        'You may only specify one of these parameters: unit_amount, unit_amount_decimal.',
        `${ITEMS}[${index}][unit_amount]`,
      );
    }
    const terms = termsFrom(
      { ...item, unit_amount_decimal: unitAmount === undefined ? item.unit_amount_decimal : String(unitAmount) },
      {},
      price === undefined ? {} : { priceId: price },
    );
    return {
      ...terms,
      ...(item.currency === undefined ? {} : { currency: item.currency }),
      id: `${ID_PREFIX.invoiceItem}_upcoming_${index + 1}`,
      subscriptionId: null,
      invoiceId: null,
    };
  });

/** As if they had been added just before. @throws Refusal about the parameter at fault */
function withItems(given: BillingSnapshot, items: readonly NewItem[], asOf: number): BillingSnapshot {
  const subscriptionId = given.subscription?.id ?? null;
  let snapshot = given;
  for (const [index, item] of items.entries()) {
    const { insert } = inItem(index, () => decideNewItem(snapshot, { ...item, subscriptionId }, contextAt(asOf))).pendingItems;
    snapshot =
      subscriptionId === null
        ? { ...snapshot, customerItems: [...snapshot.customerItems, ...insert] }
        : { ...snapshot, pendingItems: [...snapshot.pendingItems, ...insert] };
  }
  return snapshot;
}

/** A refusal names the parameter as this request has it. */
function inItem<R>(index: number, decide: () => R): R {
  try {
    return decide();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const [head = '', ...rest] = (error.param ?? '').replace('pricing[price]', 'price').split(/(?=\[)/);
    throw error.about(`${ITEMS}[${index}]${head === '' ? '' : `[${head}]`}${rest.join('')}`);
  }
}

/** Somebody who is no customer yet. */
const STRANGER: Customer = {
  id: 'cus_none',
  ...{ name: null, email: null, phone: null, description: null, address: null, currency: null, balance: 0, defaultPaymentMethodId: null },
  ...{ defaultTaxRateIds: [], taxExempt: 'none', billingTimezone: null, externalId: null, metadata: {}, deleted: false, createdAt: 0 },
};

/** Where the request names what, in an error. */
/** What belongs to one of the two only. */
const ONLY_NEW = Object.keys(subscriptionCreate.shape).filter((name) => !(name in subscriptionUpdate.shape));
const ONLY_EXISTING = [...Object.keys(subscriptionUpdate.shape).filter((name) => !(name in subscriptionCreate.shape)), ...COMMAND_DETAILS];

/** The trial with the prices that the request brings along; they are in no table. */
async function withInline(t: AccountTransaction, { asOf, suppose, ...trial }: Trial, inline: InlinePrices): Promise<Trial> {
  const priced = await inline.suppose(t, asOf);
  return { ...trial, asOf, suppose: (snapshot) => priced(suppose === undefined ? snapshot : suppose(snapshot)) };
}

async function tryNew(t: AccountTransaction, params: PreviewInput, trial: Trial): Promise<DryRun> {
  const details = params.subscription_details;
  if (details?.items === undefined) throw badRequest(`Missing required param: ${IN}[items].`, `${IN}[items]`, 'parameter_missing');
  refuse(details, [...ONLY_EXISTING, 'payment_behavior']);
  const { billing_cycle_anchor: anchor, cancel_at: end, cancel_now: _, payment_behavior: __, ...rest } = details;
  if (typeof anchor === 'string') throw badRequest('The anchor of a new subscription is a date.', `${IN}[billing_cycle_anchor]`);
  const items = details.items.map((item, index) => {
    const at = `${IN}[items][${index}]`;
    if (item.id !== undefined || item.deleted !== undefined) throw badRequest('A new subscription has no items to change.', `${at}[id]`);
    return {
      price: item.price,
      price_data: item.price_data,
      quantity: item.quantity ?? 1,
      tax_rates: item.tax_rates,
      discounts: item.discounts,
      billing_thresholds: item.billing_thresholds,
      metadata: undefined,
    };
  });
  const inline = inlinePrices(randomId);
  const command = creationFrom(
    {
      ...rest,
      customer: params.customer ?? STRANGER.id,
      items,
      discounts: params.discounts,
      currency: params.currency,
      payment_behavior: 'default_incomplete',
      proration_behavior: rest.proration_behavior ?? 'create_prorations',
      billing_cycle_anchor: anchor,
      cancel_at: end ?? undefined,
      cancel_at_period_end: rest.cancel_at_period_end ?? false,
    },
    randomId,
    inline,
    IN,
  );
  const supposed = await withInline(t, trial, inline);
  return tryCreation(t, command, isStranger(params) ? { ...supposed, standIn: STRANGER } : supposed);
}

async function tryExisting(t: AccountTransaction, id: string, params: PreviewInput, trial: Trial): Promise<DryRun> {
  const subscription = await subscriptionOf(t, id).catch(() => {
    throw notFound('subscription', id, 'subscription');
  });
  if (params.customer !== undefined && params.customer !== subscription.customerId) throw notFound('customer', params.customer, 'customer');
  if (params.currency !== undefined && params.currency !== subscription.currency) {
    throw badRequest(`The currency of the subscription is ${subscription.currency}.`, 'currency', 'currency_mismatch');
  }
  const details: Details = params.subscription_details ?? {};
  refuse(details, ONLY_NEW);
  const commanded = await tryCommand(t, id, params, trial);
  if (commanded !== null) return commanded;
  const inline = inlinePrices(randomId);
  const change = changeFrom(
    {
      ...details,
      discounts: params.discounts,
      proration_behavior: details.proration_behavior ?? 'create_prorations',
      payment_behavior: details.payment_behavior ?? 'allow_incomplete',
      effective_at: details.effective_at ?? 'now',
    },
    randomId,
    inline,
    {},
    `${IN}[items]`,
  );
  if (change === null) return tryNothing(t, id, trial);
  const supposed = await withInline(t, trial, inline);
  return isSchedulingOnly(change) ? tryScheduling(t, id, schedulingOf(change), supposed) : tryChange(t, id, change, supposed);
}

const noInvoice = (id: string | undefined): ApiError =>
  new ApiError(`No upcoming invoices for ${id === undefined ? 'this request' : `subscription ${id}`}`, {
    status: 404,
    code: 'invoice_upcoming_none',
  });
