import type {
  BillingOutcome,
  Envelope,
  InvoiceFacts,
  PaymentResult,
  ReopenedSubscription,
  ScheduleFacts,
  ScheduleOutcome,
} from '../../activities/index.ts';
import type { LowCredit } from '../../domain/credits/low-credit.ts';
import type { PaymentBehavior } from '../../domain/subscription/subscription.ts';
import type { Instant } from '../../domain/time.ts';
import { charge, decide, decideHere, hereFirst, insist } from '../call-activities.ts';
import type { AwaitSchedule, Command, RestartSubscription, StartSubscription } from '../messages.ts';
import { day, money } from '../write-summary.ts';
import { asOfNow, type Desk, type Order } from './desk.ts';

/**
 * One function per thing the subscription can have done. Each names its operation by the business fact behind it, never by run or
 * try, so that doing it twice is doing it once.
 */
type Ordered<Name extends Order['name']> = Extract<Order, { name: Name }>['command'];

const ordered = <C extends Command>({ state }: Desk, command: C, asOf: Instant) => ({
  ...command,
  accountId: state.accountId,
  subscriptionId: state.subscriptionId,
  generation: state.generation,
  asOf,
});

const own = (desk: Desk, operationId: string, asOf: Instant): Envelope & { subscriptionId: string } => ({
  accountId: desk.state.accountId,
  subscriptionId: desk.state.subscriptionId,
  operationId,
  asOf,
  actor: 'workflow',
  generation: desk.state.generation,
});

/** What is done about an invoice is one thing, whichever of the subscriptions it bills asks for it. */
function about(desk: Desk, invoiceId: string, operationId: string, asOf: Instant): Envelope & { invoiceId: string } {
  const { subscriptionId: _, ...envelope } = own(desk, operationId, asOf);
  return { ...envelope, invoiceId };
}

/** Counters begin anew with a generation, so what is named by one carries it. */
export const again = (generation: number): string => (generation === 1 ? '' : `g${generation}:`);

export const loadSubscription = ({ accountId, subscriptionId }: RestartSubscription): Promise<ReopenedSubscription> =>
  insist.loadSubscription.executeWithOptions({ summary: `reads ${subscriptionId}` }, [{ accountId, subscriptionId }]);

export const createSubscription = ({ accountId, command }: StartSubscription, asOf: Instant): Promise<BillingOutcome> =>
  insist.createSubscription.executeWithOptions({ summary: `creates ${command.subscriptionId}` }, [{ ...command, accountId, asOf }]);

export const changePlan = (desk: Desk, command: Ordered<'changePlan'>, asOf: Instant): Promise<BillingOutcome> =>
  decide.changePlan.executeWithOptions({ summary: `changes the plan, ${command.prorationBehavior}` }, [ordered(desk, command, asOf)]);

export const cancelSubscription = (desk: Desk, command: Ordered<'cancel'>, asOf: Instant): Promise<BillingOutcome> =>
  decide.cancelSubscription.executeWithOptions({ summary: 'cancels now' }, [ordered(desk, command, asOf)]);

export const scheduleCancellation = (desk: Desk, command: Ordered<'scheduleCancellation'>, asOf: Instant): Promise<BillingOutcome> =>
  decide.scheduleCancellation.executeWithOptions({ summary: describeSchedule(command.at) }, [ordered(desk, command, asOf)]);

export const pauseSubscription = (desk: Desk, command: Ordered<'pause'>, asOf: Instant): Promise<BillingOutcome> =>
  decide.pauseSubscription.executeWithOptions({ summary: `pauses ${describeWhen(command.at)}, unused time: ${command.unusedTime}` }, [
    ordered(desk, command, asOf),
  ]);

export const resumeSubscription = (desk: Desk, command: Ordered<'resume'>, asOf: Instant): Promise<BillingOutcome> =>
  decide.resumeSubscription.executeWithOptions({ summary: 'resumes' }, [ordered(desk, command, asOf)]);

export const reactivateSubscription = (desk: Desk, command: Ordered<'reactivate'>, asOf: Instant): Promise<BillingOutcome> =>
  decide.reactivateSubscription.executeWithOptions({ summary: 'lives again' }, [ordered(desk, command, asOf)]);

export const beginPause = (desk: Desk, asOf: Instant): Promise<BillingOutcome> =>
  decide.beginPause.executeWithOptions({ summary: `pauses ${day(asOf)}` }, [
    own(desk, `begin-pause:${desk.state.subscriptionId}:${asOf}`, asOf),
  ]);

export const endPause = (desk: Desk, asOf: Instant): Promise<BillingOutcome> =>
  decide.endPause.executeWithOptions({ summary: `resumes ${day(asOf)}` }, [
    own(desk, `end-pause:${desk.state.subscriptionId}:${asOf}`, asOf),
  ]);

export const resumeCollection = (desk: Desk, asOf: Instant): Promise<BillingOutcome> =>
  decide.resumeCollection.executeWithOptions({ summary: `collects again ${day(asOf)}` }, [
    own(desk, `resume-collection:${desk.state.subscriptionId}:${asOf}`, asOf),
  ]);

const describeWhen = (at: 'now' | 'period_end' | Instant): string =>
  at === 'now' ? 'now' : at === 'period_end' ? "at the period's end" : day(at);

export const cancelScheduledChange = (desk: Desk, command: Ordered<'cancelScheduledChange'>, asOf: Instant): Promise<BillingOutcome> =>
  decide.cancelScheduledChange.executeWithOptions({ summary: `will not change as scheduled, ${command.changeId}` }, [
    ordered(desk, command, asOf),
  ]);

export const editSchedule = (desk: Desk, command: Ordered<'editSchedule'>, asOf: Instant): Promise<ScheduleOutcome> =>
  decide.editSchedule.executeWithOptions({ summary: `edits ${command.scheduleId}` }, [ordered(desk, command, asOf)]);

/** Before there is a subscription: nothing can go on without it. */
export const editWaitingSchedule = (
  { accountId, subscriptionId }: AwaitSchedule,
  command: Ordered<'editSchedule'>,
  asOf: Instant,
): Promise<ScheduleOutcome> =>
  insist.editSchedule.executeWithOptions({ summary: `edits ${command.scheduleId}` }, [{ ...command, accountId, subscriptionId, asOf }]);

/** At its start, however late it is. */
export const startSchedule = ({ accountId, subscriptionId }: AwaitSchedule, { id, startsAt }: ScheduleFacts): Promise<ScheduleOutcome> =>
  insist.startSchedule.executeWithOptions({ summary: `starts ${id}, ${day(startsAt)}` }, [
    { accountId, subscriptionId, scheduleId: id, operationId: `start:${id}`, asOf: startsAt, actor: 'workflow' },
  ]);

/** At its instant, however late it is. */
export const applyScheduledChange = (
  desk: Desk,
  { changeId, asOf, paymentBehavior }: { changeId: string; asOf: Instant; paymentBehavior: PaymentBehavior },
): Promise<BillingOutcome> =>
  decide.applyScheduledChange.executeWithOptions({ summary: `carries out the change scheduled for ${day(asOf)}` }, [
    { ...own(desk, `apply:${changeId}`, asOf), changeId, paymentBehavior },
  ]);

function describeSchedule(at: Ordered<'scheduleCancellation'>['at']): string {
  if (at === 'never') return 'will not cancel after all';
  if (at === 'min_period_end' || at === 'max_period_end') {
    return `will cancel when the ${at === 'min_period_end' ? 'first' : 'last'} current period of its items ends`;
  }
  return `will cancel ${describeWhen(at)}`;
}

/** Bills the period that starts at the boundary. */
export function issueInvoice(desk: Desk, boundary: Instant): Promise<BillingOutcome> {
  const input = own(desk, `renew:${desk.state.subscriptionId}:${boundary}`, boundary);
  const summary = `bills the period from ${day(boundary)}`;
  return hereFirst(
    () => decideHere.issueInvoice.executeWithOptions({ summary }, [input]),
    () => decide.issueInvoice.executeWithOptions({ summary }, [input]),
  );
}

/** Every invoice that a threshold makes raises the revision, so each revision makes at most one. */
export const billThreshold = (desk: Desk, asOf: Instant): Promise<BillingOutcome> =>
  decide.billThreshold.executeWithOptions({ summary: 'bills what is used where a threshold is reached' }, [
    own(desk, `threshold:${desk.state.subscriptionId}:${desk.state.facts.revision}`, asOf),
  ]);

/** The number is the crossing's, so each is one purchase, whoever has noticed it. */
export const topUpCredits = (desk: Desk, low: LowCredit, asOf: Instant): Promise<{ invoice: InvoiceFacts | null }> =>
  decide.topUpCredits.executeWithOptions({ summary: `buys credit, purchase ${low.number}` }, [
    { ...own(desk, `top-up:${low.topUpId}:${low.number}`, asOf), ...low },
  ]);

export const remindOfTrialEnd = (desk: Desk, trialEnd: Instant, asOf: Instant): Promise<BillingOutcome> =>
  decide.remindOfTrialEnd.executeWithOptions({ summary: `tells that the trial ends ${day(trialEnd)}` }, [
    own(desk, `remind:${desk.state.subscriptionId}:${trialEnd}:${asOf}`, asOf),
  ]);

export const expireSubscription = (desk: Desk, asOf: Instant): Promise<BillingOutcome> =>
  decide.expireSubscription.executeWithOptions({ summary: 'expires, the first invoice was not paid' }, [
    own(desk, `expire:${desk.state.subscriptionId}`, asOf),
  ]);

export const resolvePendingUpdate = (desk: Desk, invoiceId: string, apply: boolean, asOf: Instant): Promise<BillingOutcome> =>
  decide.resolvePendingUpdate.executeWithOptions({ summary: `${apply ? 'applies' : 'drops'} the update of ${invoiceId}` }, [
    { ...own(desk, `update:${invoiceId}:${apply ? 'apply' : 'drop'}`, asOf), apply },
  ]);

export const calculateTax = (desk: Desk, invoiceId: string, again?: Instant): Promise<InvoiceFacts> =>
  insist.calculateTax.executeWithOptions({ summary: `asks for the taxes of ${invoiceId}` }, [
    about(desk, invoiceId, `tax:${invoiceId}${again === undefined ? '' : `:${again}`}`, asOfNow(desk)),
  ]);

export const finalizeInvoice = (desk: Desk, invoiceId: string): Promise<InvoiceFacts> =>
  decide.finalizeInvoice.executeWithOptions({ summary: `finalizes ${invoiceId}` }, [
    { ...about(desk, invoiceId, `finalize:${invoiceId}`, asOfNow(desk)), automatic: true },
  ]);

/** The subscription asks for the money of an invoice once; every further try is dunning's or somebody's command. */
export const collectPayment = (desk: Desk, { id, amountRemaining, currency }: InvoiceFacts | ParkedInvoice): Promise<PaymentResult> =>
  charge.collectPayment.executeWithOptions(
    { summary: amountRemaining === undefined ? `charge ${id}` : `charge ${id} ${money(amountRemaining, currency)}` },
    [{ ...about(desk, id, `collect:${id}`, asOfNow(desk)), paymentMethodId: null }],
  );

/** An invoice of which only the id is remembered. */
export interface ParkedInvoice {
  id: string;
  amountRemaining?: undefined;
  currency?: undefined;
}

export const resolvePayment = (desk: Desk, invoiceId: string, attemptNumber: number, tries: number): Promise<PaymentResult> =>
  charge.resolvePayment.executeWithOptions({ summary: `looks up attempt ${attemptNumber} of ${invoiceId}` }, [
    about(desk, invoiceId, `resolve:${invoiceId}:${attemptNumber}:${again(desk.state.generation)}${tries}`, asOfNow(desk)),
  ]);
