import type { CreditTransaction } from '../credits/grant.ts';
import { formatAmount } from '../money.ts';
import { type Instant, localDate } from '../time.ts';
import type { EventFact, Reason } from './entry.ts';
import type { Ending } from './event-types.ts';

type Fields = Record<string, unknown>;

/** What an event says: a sentence, the money it is about, and why, where its object knows. */
export interface Description {
  sentence: string;
  reason: Reason | null;
  amount: number | null;
  currency: string | null;
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
export const day = (at: Instant): string => localDate(at, 'UTC');
const on = (value: unknown): string => (typeof value === 'number' ? day(value) : 'no date');

/** "EUR 12.00"; empty where the amount or its currency is not known. */
export const money = (amount: unknown, currency: unknown): string =>
  typeof amount === 'number' && typeof currency === 'string' ? formatAmount(amount, currency) : '';

const sentence = (...words: (string | null | false)[]): string =>
  `${words.filter((word) => word !== null && word !== false && word !== '').join(' ')}.`;

/**
 * An event in words. What happened to an invoice is told with its number and amount, what happened to a subscription with each field that changed; an event that has no
 * words of its own is told by its name. Dates are UTC.
 */
export function describeEvent(event: EventFact): Description {
  switch (event.objectType) {
    case 'invoice':
      return describeInvoice(event);
    case 'subscription':
      return describeSubscription(event);
    case 'invoiceitem':
      return describeItem(event);
    case 'payment_attempt':
      return describeAttempt(event);
    case 'subscription_schedule':
      return describeSchedule(event);
    case 'quote':
      return event.name === 'quote.accepted' ? describeQuote(event) : plain(event, null, null);
    case 'scheduled_change':
      return describeScheduled(event);
    case 'credit_balance_transaction':
      return describeCredit(event);
    case 'credit_top_up':
      return describeTopUp(event);
    case 'credit_grant':
      return describeGrant(event);
    case 'discount':
      return describeDiscount(event);
    case 'price_migration':
      return describeMigration(event, MIGRATION_WORDS);
    case 'price_migration_subscription':
      return describeMigration(event, MIGRATED_WORDS);
    default:
      return plain(event, null, null);
  }
}

/** What became of a scheduled change, and why, where it failed. */
const SCHEDULED_WORDS: Record<Ending<'customer.subscription.scheduled_change'>, string> = {
  created: 'A change was scheduled for',
  updated: 'A scheduled change moved to',
  applied: 'A scheduled change took effect on',
  replaced: 'A later change took the place of one scheduled for',
  canceled: 'A scheduled change was taken back, it was for',
  failed: 'A scheduled change had become impossible on',
};

function describeScheduled({ name, data }: EventFact): Description {
  const ending = name.split('.').at(-1) ?? '';
  const failure = data['failure'] as Fields | null | undefined;
  return {
    sentence: sentence(wordsFor(SCHEDULED_WORDS, ending) ?? `Scheduled change ${ending}`, on(data['effectiveAt'])),
    reason: failure ? { code: text(failure['code']), message: text(failure['message']), param: text(failure['param']) } : null,
    amount: null,
    currency: null,
  };
}

const CREDIT_WORDS: Record<CreditTransaction['type'], string> = {
  credits_granted: 'of credit was granted',
  credits_applied: 'of prepaid credit was applied to the invoice',
  credits_application_invoice_voided: 'of prepaid credit came back from a voided invoice',
  credits_expired: 'of credit expired',
  credits_voided: 'of credit was voided',
};

/** "EUR 4.00 of prepaid credit was applied to the invoice (credgr_1)." */
function describeCredit({ data }: EventFact): Description {
  const amount = Math.abs(number(data['amount']) ?? 0);
  const type = text(data['type']) ?? '';
  return {
    sentence: sentence(money(amount, data['currency']), wordsFor(CREDIT_WORDS, type) ?? type, `(${text(data['grantId']) ?? 'no grant'})`),
    reason: null,
    amount,
    currency: text(data['currency']),
  };
}

const TOP_UP_WORDS: Record<Ending<'billing.credit_top_up'>, string> = {
  triggered: 'is being bought, as less was left than the threshold of',
  succeeded: 'was bought, which keeps what is left above',
  failed: 'could not be bought: no more is tried until its invoice is paid; the threshold is',
  canceled: 'is not bought, as its invoice was voided; the threshold is',
};

/** "EUR 20.00 of credit is being bought, as less was left than the threshold of EUR 5.00." */
function describeTopUp({ name, data }: EventFact): Description {
  const [amount, currency] = [number(data['amount']), text(data['currency'])];
  const word = wordsFor(TOP_UP_WORDS, name.split('.').at(-1) ?? '') ?? 'is bought below';
  return {
    sentence: sentence(money(amount, currency), 'of credit', word, money(data['threshold'], currency)),
    reason: null,
    amount,
    currency,
  };
}

const GRANT_WORDS: Record<Ending<'billing.credit_grant'>, string> = { created: 'was given', updated: 'is left' };

/** "EUR 4.00 of the credit Included calls is left, until 2027-04-30." */
function describeGrant({ name, data }: EventFact): Description {
  const [amount, currency] = [number(data['remaining']), text(data['currency'])];
  const word = wordsFor(GRANT_WORDS, name.split('.').at(-1) ?? '') ?? 'has changed';
  const until = data['expiresAt'] === null ? '' : `, until ${on(data['expiresAt'])}`;
  const what = `${money(amount, currency)} of the credit ${text(data['name']) ?? text(data['id']) ?? ''}`;
  return { sentence: sentence(`${what} ${word}${until}`), reason: null, amount, currency };
}

const MIGRATION_WORDS: Record<Ending<'price_migration'>, string> = {
  created: 'A price migration was asked for',
  started: 'A price migration began',
  completed: 'A price migration has asked every subscription',
  canceled: 'A price migration was taken back as far as it had not taken effect',
};
const MIGRATED_WORDS: Record<Ending<'price_migration.subscription'>, string> = {
  scheduled: 'A price migration scheduled the new price',
  applied: 'A price migration brought the new price',
  skipped: 'A price migration left the subscription out',
  failed: 'A price migration could not bring the new price',
  canceled: 'A price migration took the new price back before it took effect',
};

/** "A price migration scheduled the new price (pmig_1, from price_1 to price_2)." */
function describeMigration({ name, data }: EventFact, words: Record<string, string>): Description {
  const ending = name.split('.').at(-1) ?? '';
  const reason = data['reason'] as Fields | null | undefined;
  const id = text(data['migrationId']) ?? text(data['id']);
  return {
    sentence: sentence(
      wordsFor(words, ending) ?? `Price migration ${ending}`,
      `(${id}, from ${text(data['fromPriceId'])} to ${text(data['toPriceId'])})`,
    ),
    reason: reason ? { code: text(reason['code']), message: text(reason['message']) } : null,
    amount: null,
    currency: null,
  };
}

const DISCOUNT_WORDS: Record<Ending<'customer.discount'>, string> = {
  created: 'began',
  updated: 'took the place of another one',
  deleted: 'ended',
};

/** "A discount of 20 % (Spring) began, until 2027-04-30." */
function describeDiscount({ name, data }: EventFact): Description {
  const terms = (data['terms'] ?? {}) as Fields;
  const off = text(terms['percentOff']) === null ? money(terms['amountOff'], terms['currency']) : `${text(terms['percentOff'])} %`;
  const ending = name.split('.').at(-1) ?? '';
  const until = ending !== 'deleted' && number(data['end']) !== null;
  return {
    sentence: sentence(
      `A discount of ${off} (${text(terms['name']) ?? text(data['couponId']) ?? 'no name'}) ${wordsFor(DISCOUNT_WORDS, ending) ?? ending}${until ? ',' : ''}`,
      until && `until ${on(data['end'])}`,
    ),
    reason: null,
    amount: null,
    currency: text(terms['currency']),
  };
}

const ATTEMPT_WORDS: Record<Ending<'payment_attempt'>, string> = {
  credited_to_balance: "of a payment came when nothing was owed any more, and went to the customer's balance",
};

/** "EUR 12.00 of a payment came when nothing was owed any more, …" */
function describeAttempt(event: EventFact): Description {
  const { amount, currency } = event.data;
  const words = wordsFor(ATTEMPT_WORDS, event.name.split('.').at(-1) ?? '');
  const told = plain(event, amount, currency);
  return words === undefined ? told : { ...told, sentence: sentence(money(amount, currency), words, `(${event.objectId})`) };
}

const SCHEDULE_WORDS: Record<Ending<'subscription_schedule'>, string> = {
  created: 'was made',
  updated: 'changed',
  expiring: 'comes to its end',
  completed: 'is over',
  released: 'let the subscription go on alone',
  canceled: 'was cancelled',
  aborted: 'could not go on and was cancelled',
};

/** "The schedule changed (current phase 0 → 1)." */
function describeSchedule(event: EventFact): Description {
  const { name, data, previous } = event;
  const ending = name.split('.').at(-1) ?? '';
  const failure = data['failure'] as Fields | null | undefined;
  const words = wordsFor(SCHEDULE_WORDS, ending) ?? ending.replaceAll('_', ' ');
  return {
    sentence: sentence(
      `The schedule ${words}`,
      ending === 'created' && `with ${(data['phases'] as unknown[] | undefined)?.length ?? 0} phases, from ${on(data['startsAt'])}`,
      ending === 'expiring' && `on ${on((data['phases'] as Fields[] | undefined)?.at(-1)?.['end'])}`,
      ending === 'updated' && previous !== null && changesIn(previous, data),
    ),
    reason: failure ? { code: text(failure['code']), message: text(failure['message']), param: text(failure['param']) } : null,
    amount: null,
    currency: text(data['currency']),
  };
}

const describeQuote = ({ data, objectId }: EventFact): Description => ({
  sentence: sentence(`The quote ${text(data['number']) ?? objectId} was accepted`),
  reason: null,
  amount: null,
  currency: text(data['currency']),
});

/** Own words of a name; none for one that only another version of the engine knows. */
const wordsFor = <W>(words: Readonly<Record<string, W>>, name: string): W | undefined =>
  Object.hasOwn(words, name) ? words[name] : undefined;

function plain({ name, objectId, previous, data }: EventFact, amount: unknown, currency: unknown): Description {
  const changes = previous === null ? '' : changesIn(previous, data);
  return {
    sentence: sentence(`${objectId}: ${name.split('.').slice(1).join(' ').replaceAll('_', ' ')}`, money(amount, currency), changes),
    reason: null,
    amount: number(amount),
    currency: text(currency),
  };
}

/** What is said of an invoice, by the end of the event's name; and which of its amounts the event is about. */
const INVOICE_WORDS: Record<Ending<'invoice'>, [words: string, amount: string]> = {
  created: ['was drafted', 'total'],
  finalized: ['was finalised', 'total'],
  updated: ['changed', 'total'],
  paid: ['was paid', 'amountPaid'],
  payment_succeeded: ['was collected', 'amountPaid'],
  payment_failed: ['could not be collected', 'amountRemaining'],
  payment_action_required: ['waits for the customer to confirm the payment', 'amountRemaining'],
  voided: ['was voided', 'total'],
  marked_uncollectible: ['was written off', 'amountRemaining'],
  sent: ['was sent', 'amountDue'],
  overdue: ['is overdue', 'amountRemaining'],
  deleted: ['was deleted', 'total'],
};

function describeInvoice(event: EventFact): Description {
  const { data, previous, objectId } = event;
  const ending = event.name.split('.').at(-1) ?? '';
  const [words, field] = wordsFor(INVOICE_WORDS, ending) ?? [ending.replaceAll('_', ' '), 'total'];
  const amount = number(data[field]);
  const retry = number(data['nextPaymentAttempt']);
  const billingReason = text(data['billingReason']);
  const explained = ending === 'created' || ending === 'finalized' ? explanationOf(data) : null;
  return {
    sentence: sentence(
      `Invoice ${text(data['number']) ?? objectId}`,
      money(amount, data['currency']) && `of ${money(amount, data['currency'])}`,
      words,
      ending === 'payment_failed' && `after try ${number(data['attemptCount']) ?? 1}`,
      ending === 'payment_failed' && (retry === null ? 'and no further try is planned' : `and is tried again on ${day(retry)}`),
      ending === 'updated' && previous !== null && changesIn(previous, data),
    ),
    reason: billingReason === null && explained === null ? null : { code: billingReason, message: explained },
    amount,
    currency: text(data['currency']),
  };
}

/** The sentences of the lines, so that the amount can be followed; at most five. */
function explanationOf(data: Fields): string | null {
  const lines = Array.isArray(data['lines']) ? (data['lines'] as { explanation?: { sentence?: string } }[]) : [];
  const told = lines.flatMap(({ explanation }) => explanation?.sentence ?? []);
  if (told.length === 0) return null;
  return told.length > 5 ? `${told.slice(0, 5).join(' ')} And ${told.length - 5} lines more.` : told.join(' ');
}

const SUBSCRIPTION_WORDS: Record<Ending<'customer.subscription'>, string> = {
  created: 'The subscription was created',
  deleted: 'The subscription ended',
  updated: 'The subscription changed',
  paused: 'The subscription was paused',
  resumed: 'The subscription was resumed',
  trial_will_end: 'The trial will end soon',
  pending_update_applied: 'The pending change was applied',
  pending_update_expired: 'The pending change was dropped, its payment did not come',
};

function describeSubscription({ name, data, previous }: EventFact): Description {
  const ending = name.split('.').at(-1) ?? '';
  const details = (data['cancellationDetails'] ?? {}) as Fields;
  const touched =
    previous !== null && ['cancellationDetails', 'cancelAt', 'cancelAtPeriodEnd', 'canceledAt'].some((key) => key in previous);
  const isLeaving =
    (ending === 'deleted' || touched) && (text(details['reason']) ?? text(details['comment']) ?? text(details['feedback'])) !== null;
  return {
    sentence: sentence(
      wordsFor(SUBSCRIPTION_WORDS, ending) ?? `The subscription ${ending.replaceAll('_', ' ')}`,
      ending === 'created' && `with status ${String(data['status'])}, its period ends on ${on(data['currentPeriodEnd'])}`,
      ending === 'trial_will_end' && `on ${on(data['trialEnd'])}`,
      ending !== 'created' && previous !== null && changesIn(previous, data),
    ),
    reason: isLeaving ? { code: text(details['reason']), message: text(details['comment']), feedback: text(details['feedback']) } : null,
    amount: null,
    currency: text(data['currency']),
  };
}

const ITEM_WORDS: Record<Ending<'invoiceitem'>, string> = {
  created: 'waits for the next invoice',
  deleted: 'was taken back',
  updated: 'changed',
};

function describeItem(event: EventFact): Description {
  const line = (event.data['line'] ?? {}) as Fields;
  const explanation = (line['explanation'] ?? {}) as Fields;
  const ending = event.name.split('.').at(-1) ?? '';
  return {
    sentence: sentence(
      `${text(line['description']) ?? 'An invoice item'}:`,
      money(line['amount'], line['currency']),
      wordsFor(ITEM_WORDS, ending) ?? ending,
    ),
    reason: text(explanation['sentence']) === null ? null : { code: text(explanation['rule']), message: text(explanation['sentence']) },
    amount: number(line['amount']),
    currency: text(line['currency']),
  };
}

const NAMES: Record<string, string> = {
  currentPeriodStart: 'period start',
  currentPeriodEnd: 'period end',
  latestInvoiceId: 'latest invoice',
  defaultPaymentMethodId: 'payment method',
};
const isInstant = (key: string): boolean => /(At|End|Start|Date|Anchor|Attempt|Until)$/.test(key);
const nameOf = (key: string): string => NAMES[key] ?? key.replace(/Id$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** Fields that change along with others and say nothing of their own. */
const SILENT = new Set(['currentPeriodStart', 'cancellationDetails', 'metadata', 'attempted']);

/** "status active → past due, period end 2027-02-01 → 2027-03-01" */
function changesIn(previous: Fields, data: Fields): string {
  const told = Object.entries(previous).flatMap(([key, before]) => (SILENT.has(key) ? [] : [changeOf(key, before, data[key])]));
  return told.length === 0 ? '' : `(${told.join(', ')})`;
}

function changeOf(key: string, before: unknown, after: unknown): string {
  const [from, to] = [shown(key, before), shown(key, after)];
  return from === null || to === null || from === to ? nameOf(key) : `${nameOf(key)} ${from} → ${to}`;
}

/** A value in words; null for one that is too much for a sentence. */
function shown(key: string, value: unknown): string | null {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number') return isInstant(key) ? day(value) : String(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value.length > 80 ? null : key === 'status' ? value.replaceAll('_', ' ') : value;
  if (key === 'items' && Array.isArray(value)) {
    const items = value as { priceId?: string; quantity?: string }[];
    return items.length > 3 ? `${items.length} items` : items.map((item) => `${item.quantity ?? 1} × ${item.priceId ?? '?'}`).join(' + ');
  }
  return null;
}
