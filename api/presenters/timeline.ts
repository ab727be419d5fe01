import type { StoredEvent } from '../../db/events.ts';
import { factOf } from '../../db/timeline.ts';
import type { Account } from '../../domain/account.ts';
import { describeEntry } from '../../domain/timeline/describe-entry.ts';
import { describeEvent } from '../../domain/timeline/describe-event.ts';
import { type Reason, type TimelineEntry, typeOf } from '../../domain/timeline/entry.ts';
import type { Json } from '../expand.ts';
import { presentPaymentAttempt } from './payment-methods.ts';

/** Where the Temporal UI shows a namespace's workflows; null where its address is not configured. */
export interface TemporalUi {
  url: string;
  namespace: string;
}

/** An event of the page as Stripe shows it; of it the timeline tells what changed. */
export interface PresentedEvent {
  id: string;
  data: { object: object; previous_attributes?: Json };
}

/** One entry of a subscription's timeline; ours, beside Stripe's objects. */
export function presentTimelineEntry(
  entry: TimelineEntry & { id: string },
  { account, ui, event }: { account: Account; ui: TemporalUi | null; event: PresentedEvent | undefined },
) {
  const { sentence, reason, amount, currency } = describeEntry(entry);
  return {
    id: entry.id,
    object: 'timeline_entry' as const,
    type: typeOf(entry),
    name: entry.name,
    at: entry.at,
    recorded_at: entry.recordedAt,
    sentence,
    actor: entry.actor,
    reason: presentReason(reason),
    amount,
    currency,
    invoice: invoiceOf(entry),
    operation: entry.operationId,
    workflow: entry.run && { id: entry.run.workflowId, run_id: entry.run.runId, url: ui && linkTo(ui, entry.run) },
    data: dataOf(entry, event),
    livemode: account.livemode,
  };
}

/** What the timeline says of an event, for lists of events. */
export function presentChange(event: StoredEvent) {
  const { sentence, reason, amount, currency } = describeEvent(factOf(event));
  return {
    sentence,
    reason: presentReason(reason),
    amount,
    currency,
    customer: event.customerId,
    subscription: event.subscriptionId,
    invoice: event.objectType === 'invoice' ? event.objectId : textOr((event.data as Json)['invoiceId']),
  };
}

const presentReason = (reason: Reason | null) =>
  reason && { code: reason.code, message: reason.message, param: reason.param ?? null, feedback: reason.feedback ?? null };

const linkTo = ({ url, namespace }: TemporalUi, { workflowId, runId }: { workflowId: string; runId: string }): string =>
  `${url.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}/${encodeURIComponent(runId)}/history`;

function invoiceOf(entry: TimelineEntry): string | null {
  if (entry.source !== 'event') return entry.invoiceId ?? idIn(entry.source === 'operation' ? entry.result?.['invoice'] : null);
  return entry.objectType === 'invoice' ? entry.objectId : textOr(entry.data['invoiceId']);
}

const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const idIn = (value: unknown): string | null => (typeof value === 'object' && value !== null && 'id' in value ? textOr(value.id) : null);

function dataOf(entry: TimelineEntry, event: PresentedEvent | undefined): Json {
  if (entry.source === 'refusal') return { parameters: spelled(entry.parameters) };
  if (entry.source === 'operation') {
    return {
      parameters: spelled(entry.parameters),
      result: spelled(entry.result),
      ...(entry.attempt === null ? {} : { payment_attempt: presentPaymentAttempt(entry.attempt) }),
    };
  }
  const previous = event?.data.previous_attributes ?? null;
  const object = (event?.data.object ?? {}) as Json;
  return {
    event: event?.id ?? null,
    object: { id: entry.objectId, object: object['object'] ?? entry.objectType },
    ...(previous === null
      ? {}
      : { previous_attributes: previous, attributes: Object.fromEntries(Object.keys(previous).map((key) => [key, object[key] ?? null])) }),
  };
}

/** Our own names as the API spells names. */
function spelled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spelled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), spelled(inner)]),
  );
}
