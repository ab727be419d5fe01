import { type Description, day, describeEvent, money } from './describe-event.ts';
import type { OperationFact, Reason, RefusalFact, TimelineEntry } from './entry.ts';
import { VERBS, type Verb, type VerbWords } from './verbs.ts';

type Fields = Record<string, unknown>;

/** An operation of another version of the engine may have a verb that this one does not know. */
function verb(name: string): VerbWords {
  if (Object.hasOwn(VERBS, name)) return VERBS[name as Verb];
  const words = name.replaceAll('-', ' ');
  return { asked: words, done: upper(words) };
}

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
