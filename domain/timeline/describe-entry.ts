import { type Description, day, describeEvent, money } from './describe-event.ts';
import type { OperationFact, Reason, RefusalFact, TimelineEntry } from './entry.ts';

type Fields = Record<string, unknown>;

/** What each verb is when it is asked for (an infinitive, as in "asked to …") and when it was done by the engine. */
const VERBS: Record<string, { asked: string; done: string }> = {
  'create-subscription': { asked: 'create the subscription', done: 'The subscription was created' },
  'change-plan': { asked: 'change the subscription', done: 'A change that was planned took effect' },
  'remind-of-trial-end': { asked: 'tell that the trial will end', done: 'The customer was told that the trial will end' },
  'schedule-cancellation': { asked: 'set when the subscription ends', done: 'The end of the subscription was set' },
  'apply-scheduled-change': { asked: 'carry out a scheduled change', done: 'A scheduled change came due' },
  'cancel-scheduled-change': { asked: 'cancel a scheduled change', done: 'A scheduled change was cancelled' },
  'cancel-subscription': { asked: 'cancel the subscription now', done: 'The subscription was cancelled' },
  'pause-subscription': { asked: 'pause the subscription', done: 'A pause was asked for' },
  'begin-pause': { asked: 'begin the pause', done: 'The pause that was planned began' },
  'resume-subscription': { asked: 'resume the subscription', done: 'The subscription was resumed' },
  'end-pause': { asked: 'end the pause', done: 'The pause ended at its date' },
  'resume-collection': { asked: 'collect invoices again', done: 'Invoices are collected again' },
  'reactivate-subscription': { asked: 'bring the subscription back', done: 'The subscription was brought back' },
  'issue-invoice': { asked: 'bill the next period', done: 'The period was billed' },
  'expire-subscription': { asked: 'let the subscription expire', done: 'The subscription expired, its first invoice was not paid' },
  'resolve-pending-update': { asked: 'settle the pending change', done: 'The pending change was settled' },
  'calculate-tax': { asked: 'calculate the taxes', done: 'The taxes were calculated' },
  'finalize-invoice': { asked: 'finalise the invoice', done: 'The invoice was finalised' },
  'edit-invoice': { asked: 'change the draft', done: 'The draft was changed' },
  'edit-invoice-item': { asked: 'change what is billed next', done: 'What is billed next was changed' },
  'set-auto-advance': { asked: 'let the draft wait or finalise itself', done: 'Whether the draft finalises itself was set' },
  'void-invoice': { asked: 'void the invoice', done: 'The invoice was voided' },
  'mark-invoice-uncollectible': { asked: 'write the invoice off', done: 'The invoice was written off' },
  'pay-out-of-band': { asked: 'mark the invoice as paid another way', done: 'The invoice was marked as paid another way' },
  'send-invoice': { asked: 'send the invoice', done: 'The invoice was sent' },
  'mark-overdue': { asked: 'tell that the invoice is overdue', done: 'The due date of the invoice came' },
  'schedule-attempt': { asked: 'plan the next payment attempt', done: 'The next payment attempt was planned' },
  'end-dunning': { asked: 'give the invoice up', done: 'Dunning gave the invoice up' },
  'start-payment': { asked: 'collect the invoice', done: 'The invoice is being collected' },
  'collect-payment': { asked: 'collect the invoice', done: 'The invoice was collected' },
  'resolve-payment': { asked: 'look the payment up', done: 'The payment was looked up' },
  'clear-payment': { asked: 'clear an open attempt', done: 'An open attempt was cleared' },
};

const verb = (name: string): { asked: string; done: string } => {
  const words = name.replaceAll('-', ' ');
  return VERBS[name] ?? { asked: words, done: `${words.charAt(0).toUpperCase()}${words.slice(1)}` };
};

const OUTCOMES: Record<string, string> = {
  paid: 'succeeded',
  declined: 'was declined',
  processing: 'is being processed',
  requires_action: 'waits for the customer to confirm it',
  unknown: 'has no known outcome yet and will be looked up',
};

/** "the workflow", "dunning", "API key ab12…", "ada (operator)" */
export function nameOfActor(actor: string): string {
  if (actor === 'workflow') return 'the workflow';
  const [kind, name] = [actor.slice(0, actor.indexOf(':')), actor.slice(actor.indexOf(':') + 1)];
  if (kind === 'api_key') return `API key ${name}`;
  return kind === 'operator' ? `${name} (operator)` : actor;
}

/** An entry of the timeline in words, with the money it is about and why it happened. */
export function describeEntry(entry: TimelineEntry): Description {
  if (entry.source === 'event') return describeEvent(entry);
  if (entry.source === 'refusal') return describeRefusal(entry);
  return entry.attempt === null ? describeOperation(entry) : describePayment(entry);
}

function describeRefusal({ name, actor, refusal }: RefusalFact): Description {
  return {
    sentence: `${upper(nameOfActor(actor))} asked to ${verb(name).asked} and was refused: ${refusal.message}`,
    reason: { ...refusal },
    amount: null,
    currency: null,
  };
}

function describePayment(entry: OperationFact): Description {
  const { attempt, result } = entry;
  if (attempt === null) return describeOperation(entry);
  const outcome = String(result?.['outcome'] ?? '');
  const what = `The charge of ${money(attempt.amount, attempt.currency)} (try ${attempt.number}, ${attempt.paymentMethodId})`;
  const isSent = entry.name === 'start-payment';
  const declined = !isSent && outcome === 'declined';
  const why = declined && attempt.declineMessage !== null ? `: ${attempt.declineMessage.replace(/\.$/, '')}` : '';
  return {
    sentence: `${what} ${isSent ? `is sent to ${attempt.gateway}` : (OUTCOMES[outcome] ?? `is ${attempt.status.replaceAll('_', ' ')}`)}${why}.`,
    reason: declined ? { code: attempt.declineCode, message: attempt.declineMessage } : null,
    amount: attempt.amount,
    currency: attempt.currency,
  };
}

function describeOperation(entry: OperationFact): Description {
  const { name, actor, parameters, result } = entry;
  const { asked, done } = verb(name);
  const outcome = String(result?.['outcome'] ?? '');
  const nothing = outcome === 'nothing_due' ? ': nothing is due' : outcome === 'no_payment_method' ? ': there is no payment method' : '';
  const invoice = (result?.['invoice'] ?? null) as { amountDue?: number; currency?: string; number?: string | null } | null;
  const billed = nothing === '' && invoice?.amountDue !== undefined ? `, ${money(invoice.amountDue, invoice.currency)} due` : '';
  const byItself = actor === 'workflow' || actor === 'dunning';
  return {
    sentence: `${byItself ? done : `${upper(nameOfActor(actor))} asked to ${asked}`}${wishesIn(parameters)}${nothing}${billed}.`,
    reason: reasonOf(parameters),
    amount: invoice?.amountDue ?? null,
    currency: invoice?.currency ?? null,
  };
}

/** What of a command fits into a sentence. */
function wishesIn(parameters: Fields | null): string {
  const at = parameters?.['at'];
  if (at === 'period_end') return " at the period's end";
  if (at === 'never') return ' never, after all';
  return typeof at === 'number' ? ` on ${day(at)}` : '';
}

/** What a leaving customer gave as reason, in a command. */
function reasonOf(parameters: Fields | null): Reason | null {
  const cancellation = parameters?.['cancellation'] as Fields | undefined;
  const details = (parameters?.['details'] ?? cancellation?.['details']) as Fields | undefined;
  const feedback = details?.['feedback'];
  const comment = details?.['comment'];
  if (typeof feedback !== 'string' && typeof comment !== 'string') return null;
  return {
    code: typeof details?.['reason'] === 'string' ? details['reason'] : 'cancellation_requested',
    message: typeof comment === 'string' ? comment : null,
    feedback: typeof feedback === 'string' ? feedback : null,
  };
}

const upper = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
