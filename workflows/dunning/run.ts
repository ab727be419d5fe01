import { CancellationScope, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { DunningFacts, InvoiceFacts, PaymentResult } from '../../activities/index.ts';
import { type AwaitedInvoice, nextOverdueStep, nextStep } from '../../domain/dunning/next-step.ts';
import { Clock } from '../clock.ts';
import {
  dunningEndedSignal,
  invoiceOverdueSignal,
  invoiceSettledSignal,
  joinClockSignal,
  type PaymentMethodChanged,
  paymentMethodChangedSignal,
  type StartDunning,
  stopDunningSignal,
} from '../messages.ts';
import { isSuperseded, reasonOf } from '../read-failure.ts';
import { type DunningStage, dunningAttributes, publishAttributes } from '../search-attributes.ts';
import { backOff } from '../subscription/park.ts';
import { tell } from '../tell.ts';
import { moment, money } from '../write-summary.ts';
import * as act from './act.ts';
import { type Chase, type Ending, hasNews, recipients } from './chase.ts';

/** Waits for the due date of an invoice that was sent, and chases one that is unpaid, as the account's policy says, until it is paid, given up, or somebody calls it off. */
export async function dunning(start: StartDunning): Promise<void> {
  return CancellationScope.nonCancellable(async () => {
    const chase = listen(start);
    const ended = await run(chase);
    announce(chase, 'ended', `Ended: ${ended === null ? 'started anew elsewhere' : ended.outcome}.`);
    if (ended !== null) {
      const { shared, ...news } = ended;
      for (const { id, facts } of recipients(chase, news.subscription, shared)) {
        await tell(id, dunningEndedSignal, { ...news, subscription: facts });
        chase.clock.noteNews(id);
      }
    }
    await chase.clock.takeLeave();
  });
}

function listen(start: StartDunning): Chase {
  const clock = new Clock(start.clock);
  const chase: Chase = {
    start,
    clock,
    startedAt: start.startedAt ?? clock.now(),
    tries: 0,
    lookUps: 0,
    shows: 0,
    failures: 0,
    shown: null,
    heard: new Set(),
    newMethod: null,
    settled: null,
    stopped: false,
    clockToJoin: null,
  };
  clock.listen();
  setHandler(paymentMethodChangedSignal, (news) => hearOfMethod(chase, news), { description: 'A new payment method is tried at once.' });
  setHandler(invoiceSettledSignal, ({ status, subscription }) => void (chase.settled = { status, subscription }), {
    description: 'The invoice was paid, voided or written off elsewhere.',
  });
  setHandler(joinClockSignal, (joined) => void (chase.clockToJoin = joined), {
    description: "The customer's time is a test clock's from now on.",
  });
  setHandler(stopDunningSignal, () => void (chase.stopped = true), { description: 'Ends dunning and leaves the invoice as it is.' });
  return chase;
}

/** One change of a card is one try, however many of the subscriptions tell of it. */
function hearOfMethod(chase: Chase, { paymentMethodId, operationId }: PaymentMethodChanged): void {
  if (operationId !== undefined && chase.heard.has(operationId)) return;
  if (operationId !== undefined) chase.heard.add(operationId);
  chase.newMethod = paymentMethodId;
}

/** null: superseded by a dunning that was started from the books. */
async function run(chase: Chase): Promise<Ending | null> {
  const { start } = chase;
  for (;;) {
    if (chase.clockToJoin !== null) chase.clock.join(chase.clockToJoin);
    chase.clockToJoin = null;
    const facts = await act.loadDunning(chase);
    // Of a consolidated invoice the books say whether it is wanted, whoever has called it off.
    if (start.subscriptionIds !== undefined) chase.stopped = facts.isWanted !== true;
    try {
      const ended = calledOff(chase, facts) ?? (facts.unresolved ? await confirm(chase) : await goOn(chase, facts));
      chase.failures = 0;
      if (ended !== null) return ended;
    } catch (error) {
      if (isSuperseded(error)) return null;
      // Refused or out of order, the next look at the invoice says what became of it; until then it is seen here.
      chase.failures += 1;
      announce(chase, 'retrying', `The last step failed: ${reasonOf(error)}`);
      const retryAt = chase.clock.now() + backOff(chase.failures - 1);
      await chase.clock.waitUntil(retryAt, () => hasNews(chase) && chase.failures === 1, 'tries the failed step again');
    }
  }
}

/** The end that came from elsewhere, when there is one. An attempt under way is seen through first: it may have taken the money. */
function calledOff({ start, settled, stopped }: Chase, { invoice, unresolved }: DunningFacts): Ending | null {
  const { invoiceId } = start;
  const known = { subscription: settled?.subscription ?? null, ...sharedBy(invoice) };
  if (invoice.status === 'paid') return { invoiceId, outcome: 'recovered', ...known };
  if (invoice.status !== 'open') return { invoiceId, outcome: 'stopped', ...known };
  return stopped && !unresolved ? { invoiceId, outcome: 'stopped', subscription: null } : null;
}

const goOn = (chase: Chase, facts: DunningFacts): Promise<Ending | null> =>
  facts.awaited === undefined ? pursue(chase, facts) : awaitPayment(chase, facts, facts.awaited);

/** Of a sent invoice: it is never tried by itself. Its due date comes, and then the day on which it is given up. Returns the end when there is one. */
async function awaitPayment(chase: Chase, { policy }: DunningFacts, awaited: AwaitedInvoice): Promise<Ending | null> {
  const { clock, start } = chase;
  const { invoiceId } = start;
  chase.settled = null;
  chase.newMethod = null;
  const step = nextOverdueStep(policy, awaited);
  if (step === null) return { invoiceId, outcome: 'stopped', subscription: null };
  if (step.at > clock.now()) {
    const plan = step.do === 'give_up' ? `gives ${invoiceId} up` : `${invoiceId} is due`;
    announce(chase, 'waiting', `**Next** ${moment(step.at)}: ${plan} unless paid`);
    await clock.waitUntil(step.at, () => hasNews(chase), `${plan} unless paid`);
    return null;
  }
  if (step.do === 'give_up') return giveUp(chase);
  const { subscription, invoice } = await act.markOverdue(chase);
  for (const { id, facts } of recipients(chase, subscription, invoice.shared)) {
    await tell(id, invoiceOverdueSignal, { subscription: facts });
    clock.noteNews(id);
  }
  return null;
}

/** The policy's next step: wait for its time, then try; or give up. Returns the end when there is one. */
async function pursue(chase: Chase, facts: DunningFacts): Promise<Ending | null> {
  const { invoice, policy, attemptCount } = facts;
  const words = `try ${attemptCount + 1} of ${policy.retryDelays.length + 1}`;
  chase.settled = null;
  if (chase.newMethod === null) {
    const step = nextStep(policy, { ...facts, startedAt: chase.startedAt });
    if (step.do === 'give_up' && step.at <= chase.clock.now()) return giveUp(chase);
    const plan =
      step.do === 'retry'
        ? `charge ${invoice.id} ${money(invoice.amountRemaining, invoice.currency)}, ${words}`
        : `waits for a new payment method for ${invoice.id}`;
    await show(chase, step.do === 'retry' ? step.at : null);
    announce(chase, step.do === 'retry' ? 'retrying' : 'waiting', `**Next** ${moment(step.at)}: ${plan}`);
    await chase.clock.waitUntil(step.at, () => hasNews(chase), plan);
    const isTime = step.do === 'retry' && chase.clock.now() >= step.at;
    if (chase.settled !== null || chase.stopped || (chase.newMethod === null && !isTime)) return null;
  }
  const method = chase.newMethod;
  const payment = await act.collectPayment(chase, invoice, method, words);
  chase.tries += 1;
  // A newer one that came while this one was charged is tried too.
  if (chase.newMethod === method) chase.newMethod = null;
  return recovered(chase, payment);
}

/** Looks an attempt up until its outcome is known; nothing else may be tried before. */
async function confirm(chase: Chase): Promise<Ending | null> {
  const at = chase.clock.now() + backOff(chase.lookUps);
  announce(chase, 'confirming', `**Next** ${moment(at)}: looks up an attempt whose outcome is not known`);
  chase.settled = null;
  await chase.clock.waitUntil(at, () => chase.settled !== null, `looks the payment of ${chase.start.invoiceId} up`);
  const payment = await act.resolvePayment(chase);
  chase.lookUps += 1;
  return recovered(chase, payment);
}

const recovered = ({ start }: Chase, { outcome, subscription, invoice }: PaymentResult): Ending | null =>
  outcome === 'paid' || outcome === 'nothing_due'
    ? { invoiceId: start.invoiceId, outcome: 'recovered', subscription, ...sharedBy(invoice) }
    : null;

const sharedBy = ({ shared }: InvoiceFacts): Pick<Ending, 'shared'> => (shared ? { shared } : {});

async function giveUp(chase: Chase): Promise<Ending> {
  const { subscription, invoice } = await act.endDunning(chase);
  return { invoiceId: chase.start.invoiceId, outcome: 'gave_up', subscription, ...sharedBy(invoice) };
}

async function show(chase: Chase, at: number | null): Promise<void> {
  if (chase.shown === at) return;
  await act.scheduleAttempt(chase, at);
  chase.shows += 1;
  chase.shown = at;
}

function announce({ start }: Chase, stage: DunningStage, words: string): void {
  publishAttributes(dunningAttributes(start, stage));
  setCurrentDetails(`Dunning of ${start.invoiceId} (\`${start.subscriptionId ?? start.customerId}\`)\n\n${words}`);
}
