import type { AccountTransaction } from '../db/client.ts';
import { Refusal } from '../domain/errors.ts';
import { composeInvoice } from '../domain/invoicing/compose-invoice.ts';
import { beginDecision } from '../domain/invoicing/draft-decision.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import { applyDecision } from '../domain/subscription/foresee.ts';
import type { Instant } from '../domain/time.ts';
import { contextAt, type DryRun, type Trial, tryCancellation, tryPause, tryReactivation, tryResumption } from './dry-run.ts';
import { badRequest } from './errors.ts';
import { pauseFrom, resumptionFrom } from './pause-subscription.ts';
import type { invoicePreview } from './schemas/invoice-preview.ts';
import type { z } from './schemas/zod.ts';

type PreviewInput = z.output<typeof invoicePreview>;
export type Details = NonNullable<PreviewInput['subscription_details']>;
type Name = keyof Details;

/** Where a preview says what is to become of its subscription. */
export const IN = 'subscription_details';

/** The parameter that asks for a command other than a change, and those that go with it. */
const COMMANDS = {
  cancel_now: ['proration_behavior'],
  resume_at: ['billing_cycle_anchor', 'proration_behavior', 'proration_date'],
  pause_at: ['unused_time', 'resumes_at', 'billing_cycle_anchor', 'proration_behavior'],
  reactivate_at: [],
} as const satisfies Partial<Record<Name, readonly Name[]>>;

/** What belongs to one of these commands alone. */
const ONLY_COMMANDS = ['unused_time', 'resumes_at'] as const satisfies readonly Name[];

export const COMMAND_DETAILS = [...Object.keys(COMMANDS), ...ONLY_COMMANDS];

/**
 * A preview that cancels, pauses, resumes or reactivates its subscription, tried out as that command would be; null where it does none of them.
 * @throws ApiError for what does not go with it; Refusal what the command would be refused with
 */
export async function tryCommand(t: AccountTransaction, id: string, params: PreviewInput, trial: Trial): Promise<DryRun | null> {
  const details: Details = params.subscription_details ?? {};
  const asked = (Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]).find((name) => details[name] !== undefined && details[name] !== false);
  if (asked === undefined) {
    refuse(details, ONLY_COMMANDS);
    return null;
  }
  const taken: readonly string[] = [asked, ...COMMANDS[asked]];
  refuse(
    details,
    Object.keys(details).filter((name) => !taken.includes(name)),
  );
  if (params.discounts !== undefined)
    throw badRequest(`You cannot combine discounts with ${IN}[${asked}].`, 'discounts', 'parameters_exclusive');
  const { billing_cycle_anchor: anchor, proration_behavior = 'create_prorations', proration_date } = details;
  if (typeof anchor === 'number') throw badRequest('It is resumed with the anchor now or unchanged.', `${IN}[billing_cycle_anchor]`);
  switch (asked) {
    case 'cancel_now':
      return tryCancellation(t, id, { prorate: proration_behavior !== 'none', invoiceNow: true }, trial);
    case 'resume_at':
      return tryResumption(t, id, resumptionFrom({ billing_cycle_anchor: anchor, proration_behavior, proration_date }), trial);
    case 'pause_at': {
      const { pause_at: effective_at = 'now', unused_time = 'credit', resumes_at } = details;
      return namedHere(() =>
        tryPause(t, id, pauseFrom({ effective_at, unused_time, resumes_at, billing_cycle_anchor: anchor, proration_behavior }), trial),
      );
    }
    case 'reactivate_at':
      return tryReactivation(t, id, {}, trial);
  }
}

/** A refusal of a pause names the parameter as a preview has it. */
async function namedHere<R>(decide: () => Promise<R>): Promise<R> {
  try {
    return await decide();
  } catch (error) {
    if (!(error instanceof Refusal) || error.param === null) throw error;
    throw new Refusal(error.code, error.message, `${IN}[${error.param === 'effective_at' ? 'pause_at' : error.param}]`);
  }
}

/** @throws ApiError for the first of these names that is given */
export function refuse(details: Details, names: readonly string[]): void {
  const name = names.find((unwanted) => details[unwanted as Name] !== undefined);
  if (name === undefined) return;
  throw badRequest(`You cannot combine ${IN}[${name}] with the other parameters of this preview.`, `${IN}[${name}]`);
}

/** Of a pause that bills nothing, neither now nor ever: an invoice without lines, so that it can be promised as well. */
export function invoiceOfNothing({ snapshot, decision }: DryRun, asOf: Instant): Invoice {
  const draft = beginDecision(applyDecision(snapshot, decision), contextAt(asOf));
  const nothing = { period: { start: asOf, end: asOf }, lines: [], pending: [], autoAdvance: true, leaveDraft: true };
  return composeInvoice(draft, { billingReason: 'subscription_update', ...nothing }).invoice;
}
