import { CancellationScope, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { Envelope, InvoiceFacts, PaymentResult, SubscriptionFacts } from '../../activities/index.ts';
import type { Instant } from '../../domain/time.ts';
import { charge, decide } from '../call-activities.ts';
import { Clock } from '../clock.ts';
import { Inbox } from '../inbox.ts';
import {
  draftChangedSignal,
  dunningWorkflowId,
  type InvoiceCommand,
  invoiceCommandUpdate,
  invoiceSettledSignal,
  type StartDunning,
  type StartInvoice,
  sharedInvoiceSignal,
} from '../messages.ts';
import { answerFor, reasonOf, refusalIn } from '../read-failure.ts';
import { startDunning } from '../subscription/chase.ts';
import { backOff } from '../subscription/park.ts';
import { tell } from '../tell.ts';
import { moment, money } from '../write-summary.ts';

interface Answer {
  invoice: InvoiceFacts;
  payment: PaymentResult | null;
}

/** Seconds between the look-ups a caller waits for before the answer is "not known yet". */
const PATIENCE = [1, 2, 4] as const;

/**
 * Commands to one invoice, one after another. It lives for as long as there is one to obey, or a payment of its own making whose outcome is not
 * known yet; the right to charge is granted by Postgres, so it may run beside the subscription and dunning.
 */
export async function invoice(start: StartInvoice): Promise<void> {
  return CancellationScope.nonCancellable(async () => {
    const inbox = new Inbox<InvoiceCommand, Answer>();
    setHandler(invoiceCommandUpdate, (command) => inbox.ask(command.operationId, command), {
      description: 'Finalizes, pays, voids or writes off the invoice, or lets a draft wait.',
    });
    const counter: Counter = { start, inbox, clock: new Clock({ kind: 'real' }), open: null };
    do {
      for (let letter = inbox.take(); letter !== undefined; letter = inbox.take()) {
        try {
          inbox.answer(letter, { value: await obey(counter, letter.order) });
        } catch (error) {
          inbox.answer(letter, { failure: answerFor(error) });
        }
      }
      await lookUpWhatIsOpen(counter);
    } while (counter.open !== null || !(await inbox.fellSilent()));
  });
}

interface Counter {
  start: StartInvoice;
  inbox: Inbox<InvoiceCommand, Answer>;
  clock: Clock;
  /** The unresolved payment, and how often it was looked up. */
  open: { operationId: string; lookUps: number; retryAt: Instant; at: Instant | undefined } | null;
}

async function obey(counter: Counter, command: InvoiceCommand): Promise<Answer> {
  const { accountId, invoiceId } = counter.start;
  const input = { accountId, invoiceId, operationId: command.operationId, actor: command.actor, asOf: command.at ?? counter.clock.now() };
  switch (command.do) {
    case 'finalize': {
      const { autoAdvance } = command;
      const finalized = await finalize({ ...input, ...(autoAdvance === undefined ? {} : { autoAdvance }) });
      return handOver(counter, await settled(counter, { invoice: finalized, payment: null }), input, command);
    }
    case 'send': {
      if (command.finalize) await finalizeToSend(counter, input, command);
      const sent = await decide.sendInvoice.executeWithOptions({ summary: `sends ${invoiceId}` }, [input]);
      return { invoice: sent, payment: null };
    }
    case 'pay_out_of_band': {
      const paid = await decide.payOutOfBand.executeWithOptions({ summary: `${invoiceId} was paid another way` }, [input]);
      return settled(counter, { invoice: paid.invoice, payment: null }, paid.subscription);
    }
    case 'edit': {
      const edited = await decide.editInvoice.executeWithOptions({ summary: `changes ${invoiceId}` }, [
        { ...input, editId: command.editId },
      ]);
      return { invoice: edited, payment: null };
    }
    case 'set_auto_advance': {
      const summary = `${invoiceId} ${command.autoAdvance ? 'finalizes itself' : 'waits to be finalized'}`;
      const changed = await decide.setAutoAdvance.executeWithOptions({ summary }, [{ ...input, autoAdvance: command.autoAdvance }]);
      return handOver(counter, { invoice: changed, payment: null }, input, command);
    }
    case 'void': {
      const voided = await decide.voidInvoice.executeWithOptions({ summary: `voids ${invoiceId}` }, [input]);
      return settled(counter, { invoice: voided.invoice, payment: null }, voided.subscription);
    }
    case 'mark_uncollectible': {
      const writtenOff = await decide.markInvoiceUncollectible.executeWithOptions({ summary: `writes ${invoiceId} off` }, [input]);
      return settled(counter, { invoice: writtenOff.invoice, payment: null }, writtenOff.subscription);
    }
    case 'pay':
      return pay(counter, input, command.paymentMethodId, command.at);
  }
}

/** Where an external engine has not been asked for the taxes of the draft as it now is, it is asked first. */
async function finalize(input: Finalization): Promise<InvoiceFacts> {
  const invoice = await finalizeTaxed(input);
  // What it gives back may have paid an invoice that its subscription shares with others.
  for (const { subscriptionId, subscription } of invoice.others ?? [])
    await tell(subscriptionId, sharedInvoiceSignal, { invoiceId: null, subscription });
  return invoice;
}

type Finalization = Envelope & { invoiceId: string; autoAdvance?: boolean };

async function finalizeTaxed(input: Finalization): Promise<InvoiceFacts> {
  const { invoiceId } = input;
  const summary = `finalizes ${invoiceId}`;
  try {
    return await decide.finalizeInvoice.executeWithOptions({ summary }, [input]);
  } catch (error) {
    if (refusalIn(error)?.type !== 'transition_not_allowed') throw error;
  }
  const { autoAdvance: _, ...asked } = input;
  await decide.calculateTax.executeWithOptions({ summary: `asks for the taxes of ${invoiceId}` }, [
    { ...asked, operationId: `${input.operationId}:tax` },
  ]);
  return decide.finalizeInvoice.executeWithOptions({ summary }, [input]);
}

/** The subscription goes on with what is to be done by itself; where there is none to do it, it is done here. */
async function handOver(
  counter: Counter,
  answer: Answer,
  input: Envelope & { invoiceId: string },
  command: InvoiceCommand,
): Promise<Answer> {
  const { subscriptionId } = counter.start;
  const { invoice: facts } = answer;
  if (facts.status !== 'draft' && facts.status !== 'open') return answer;
  for (const id of subscriptionId === null ? (facts.shared ?? []).map((member) => member.subscriptionId) : [subscriptionId])
    if (await tell(id, draftChangedSignal, facts)) return answer;
  if (facts.next === 'await_payment' && subscriptionId === null) await waitForPayment(counter.start, facts, command);
  return facts.next === 'collect' ? pay(counter, { ...input, operationId: `${input.operationId}:collect` }, null, command.at) : answer;
}

/** A draft that is to be sent is final first; somebody else may have made it so. */
async function finalizeToSend(counter: Counter, input: Envelope & { invoiceId: string }, command: InvoiceCommand): Promise<void> {
  const step = { ...input, operationId: `${input.operationId}:finalize` };
  try {
    await handOver(counter, await settled(counter, { invoice: await finalize(step), payment: null }), step, command);
  } catch (error) {
    if (refusalIn(error)?.type !== 'invoice_not_draft') throw error;
  }
}

/** The due date of an invoice of no subscription is waited for by a dunning of its own. */
async function waitForPayment(
  { accountId, invoiceId, customerId }: StartInvoice,
  invoice: InvoiceFacts,
  command: InvoiceCommand,
): Promise<void> {
  const { at, testClock: id } = command;
  const start: StartDunning = {
    accountId,
    subscriptionId: null,
    customerId,
    invoiceId,
    currency: invoice.currency,
    planId: '',
    clock: at === undefined || id === undefined ? { kind: 'real' } : { kind: 'frozen', id, at },
    generation: 1,
  };
  await startDunning(start, `waits for ${invoiceId}, ${money(invoice.amountRemaining, invoice.currency)}`);
}

async function pay(
  counter: Counter,
  input: Envelope & { invoiceId: string },
  paymentMethodId: string | null,
  at?: Instant,
): Promise<Answer> {
  const summary = `charge ${input.invoiceId}${paymentMethodId === null ? '' : ` with ${paymentMethodId}`}`;
  let payment = await charge.collectPayment.executeWithOptions({ summary }, [{ ...input, paymentMethodId }]);
  let lookUps = 0;
  for (const seconds of PATIENCE) {
    if (!isOpen(payment)) break;
    await counter.clock.waitUntil(counter.clock.now() + seconds, () => false, `looks ${input.invoiceId} up again`);
    payment = await lookUp(counter, input.operationId, lookUps, at);
    lookUps += 1;
  }
  if (isOpen(payment)) counter.open = { operationId: input.operationId, lookUps, retryAt: counter.clock.now() + backOff(0), at };
  return settled(counter, { invoice: payment.invoice, payment });
}

const isOpen = ({ outcome }: PaymentResult): boolean => outcome === 'unknown' || outcome === 'processing';

function lookUp({ start, clock }: Counter, operationId: string, n: number, at: Instant | undefined): Promise<PaymentResult> {
  const { accountId, invoiceId } = start;
  const input = { accountId, invoiceId, operationId: `${operationId}:resolve:${n}`, actor: 'workflow', asOf: at ?? clock.now() };
  return charge.resolvePayment.executeWithOptions({ summary: `looks the payment of ${invoiceId} up` }, [input]);
}

/** Whoever was answered "not known yet" has gone; the outcome must be recorded all the same. Returns early when a command comes. */
async function lookUpWhatIsOpen(counter: Counter): Promise<void> {
  const { open, clock, inbox, start } = counter;
  if (open === null) return;
  setCurrentDetails(`The outcome of a payment is not known. **Next** look-up ${moment(open.retryAt)}.`);
  await clock.waitUntil(open.retryAt, () => !inbox.isEmpty, `looks the payment of ${start.invoiceId} up`);
  if (clock.now() < open.retryAt) return;
  const again = { ...open, lookUps: open.lookUps + 1, retryAt: clock.now() + backOff(open.lookUps - PATIENCE.length + 1) };
  try {
    const payment = await lookUp(counter, open.operationId, open.lookUps, open.at);
    counter.open = isOpen(payment) ? again : null;
    if (!isOpen(payment)) await settled(counter, { invoice: payment.invoice, payment });
  } catch (error) {
    counter.open = refusalIn(error) === null ? again : null;
    setCurrentDetails(`The look-up failed: ${reasonOf(error)}`);
  }
}

/** Tells those who wait for this invoice, when there is nothing left to wait for. */
async function settled(
  { start }: Counter,
  answer: Answer,
  subscription: SubscriptionFacts | null = answer.payment?.subscription ?? null,
): Promise<Answer> {
  const { invoice: facts } = answer;
  if (facts.status === 'draft' || facts.status === 'open') return answer;
  const fact = { invoiceId: facts.id, status: facts.status, subscription };
  await tell(dunningWorkflowId(facts.id), invoiceSettledSignal, fact);
  if (start.subscriptionId !== null) await tell(start.subscriptionId, invoiceSettledSignal, fact);
  for (const { subscriptionId: id, subscription: own } of facts.shared ?? [])
    await tell(id, invoiceSettledSignal, { ...fact, subscription: own });
  return answer;
}
