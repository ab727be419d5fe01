import { parseDecimal } from '../money.ts';
import { type Instant, isoInstant, MAX_INSTANT } from '../time.ts';
import type { Meter } from './meter.ts';

/** As Stripe: an event may tell of the past 35 days and the next 5 minutes. */
export const OLDEST_EVENT = 35 * 86_400;
export const EARLIEST_EVENT = 300;
/** Events of one request. */
export const MAX_EVENTS = 1000;
const MAX_KEYS = 50;
const MAX_TEXT = 500;

/** An event as it was sent. */
export interface GivenEvent {
  eventName: string;
  payload: Record<string, string>;
  identifier: string;
  /** null: the moment at which it arrives. */
  timestamp: Instant | null;
}

/** Why an event cannot be taken; codes are Stripe's. */
export interface EventFault {
  code: string;
  param: string;
  message: string;
}

/** An event as it is kept: whose usage of what, when and how much. */
export interface MeasuredEvent {
  meterId: string;
  customerId: string;
  identifier: string;
  at: Instant;
  /** A decimal; 1 where the meter counts events, and null where it counts different values. */
  value: string | null;
  uniqueValue: string | null;
  /** The values of the meter's `groupBy`, as JSON in its order. */
  groupKey: string;
  /** Whether it passes the meter's filters. */
  counted: boolean;
}

/** A customer as events see it: `now` is the time in which it lives. */
export interface MeteredCustomer {
  id: string;
  deleted: boolean;
  now: Instant;
}

export type EventResult =
  | { status: 'accepted' | 'duplicate' | 'conflict'; event: MeasuredEvent }
  | { status: 'invalid'; fault: EventFault };

export const isFault = (read: object): read is EventFault => 'message' in read;

const fault = (code: string, param: string, message: string): EventFault => ({ code, param, message });

/**
 * Checks the shape of one event of a batch, which has the parameters of a single one. Numbers and booleans in the payload are taken as their text; so is a timestamp in a form.
 * @param anIdentifier for an event that names none
 */
export function readEvent(given: unknown, anIdentifier: () => string): GivenEvent | EventFault {
  if (!isHash(given)) return fault('parameter_invalid', '', 'Invalid event: it must be a hash.');
  for (const key of Object.keys(given))
    if (!PARAMETERS.has(key)) return fault('parameter_unknown', key.slice(0, 100), `Received unknown parameter: ${key.slice(0, 100)}.`);
  const { event_name: eventName, payload, identifier, timestamp } = given;
  if (eventName === undefined) return missing('event_name');
  if (!isText(eventName, 100))
    return fault('parameter_invalid', 'event_name', 'Invalid event_name: it must be text of 1 to 100 characters.');
  if (payload === undefined) return missing('payload');
  const values = isHash(payload) ? readPayload(payload) : null;
  if (values === null)
    return fault(
      'parameter_invalid',
      'payload',
      `Invalid payload: it must be a hash of at most ${MAX_KEYS} texts of at most ${MAX_TEXT} characters.`,
    );
  if (identifier !== undefined && !isText(identifier, 100))
    return fault('parameter_invalid', 'identifier', 'Invalid identifier: it must be text of 1 to 100 characters.');
  const at = timestamp === undefined ? null : typeof timestamp === 'string' && /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : timestamp;
  if (at !== null && (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at > MAX_INSTANT))
    return fault('parameter_invalid_integer', 'timestamp', 'Invalid timestamp: it must be whole unix seconds.');
  return { eventName, payload: values, identifier: identifier ?? anIdentifier(), timestamp: at };
}

const PARAMETERS = new Set(['event_name', 'payload', 'identifier', 'timestamp']);
const missing = (param: string): EventFault => fault('parameter_missing', param, `Missing required param: ${param}.`);
const isHash = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown, max: number): value is string => typeof value === 'string' && value.length > 0 && value.length <= max;

function readPayload(payload: Record<string, unknown>): Record<string, string> | null {
  const entries = Object.entries(payload);
  if (entries.length > MAX_KEYS) return null;
  const values: Record<string, string> = {};
  for (const [key, value] of entries) {
    const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    if (typeof text !== 'string' || text.length > MAX_TEXT || key.length > MAX_TEXT) return null;
    values[key] = text;
  }
  return values;
}

/** Whose usage the payload says it is; undefined where it does not. */
export const customerOf = (given: GivenEvent, meter: Meter): string | undefined => own(given.payload, meter.customerKey);

/**
 * What an event measures. `meter` is the one of its name, `customer` the one its payload names; null where there is none.
 * Sums may hold negative values, as with Stripe; what a stretch comes to is never billed below zero.
 */
export function measureEvent(given: GivenEvent, meter: Meter | null, customer: MeteredCustomer | null): MeasuredEvent | EventFault {
  if (meter === null) return fault('no_meter', 'event_name', `No meter measures events of the name '${given.eventName}'.`);
  if (meter.status !== 'active') return fault('archived_meter', 'event_name', `The meter of '${given.eventName}' is inactive.`);
  const customerId = customerOf(given, meter);
  const customerParam = `payload[${meter.customerKey}]`;
  if (customerId === undefined || customerId === '')
    return fault('meter_event_no_customer_defined', customerParam, `The payload names no customer under '${meter.customerKey}'.`);
  if (customer === null || customer.deleted)
    return fault('meter_event_customer_not_found', customerParam, `No such customer: '${customerId}'`);
  const { now } = customer;
  const at = given.timestamp ?? now;
  if (at < now - OLDEST_EVENT)
    return fault('timestamp_too_far_in_past', 'timestamp', `The event is of ${isoInstant(at)}: more than 35 days ago.`);
  if (at > now + EARLIEST_EVENT)
    return fault('timestamp_in_future', 'timestamp', `The event is of ${isoInstant(at)}: more than 5 minutes ahead.`);
  const measured = readValue(own(given.payload, meter.valueKey), meter);
  if (isFault(measured)) return measured;
  const group: [string, string][] = [];
  for (const key of meter.groupBy) {
    const value = own(given.payload, key);
    if (value === undefined)
      return fault('missing_dimension_payload_keys', `payload[${key}]`, `The meter groups by '${key}', which the payload does not have.`);
    group.push([key, value]);
  }
  const counted = Object.entries(meter.filters).every(([key, values]) => values.includes(own(given.payload, key) ?? ''));
  const groupKey = JSON.stringify(Object.fromEntries(group));
  return { meterId: meter.id, customerId, identifier: given.identifier, at, ...measured, groupKey, counted };
}

/** The value of an event, or of its correction. */
export function readValue(text: string | undefined, meter: Meter): Pick<MeasuredEvent, 'value' | 'uniqueValue'> | EventFault {
  const { formula, valueKey } = meter;
  if (formula === 'count') return { value: '1', uniqueValue: null };
  const param = `payload[${valueKey}]`;
  if (text === undefined || text === '')
    return fault('meter_event_value_not_found', param, `The payload has no value under '${valueKey}'.`);
  if (formula === 'unique_count') return { value: null, uniqueValue: text };
  const value = parseDecimal(text);
  if (value === null)
    return fault('meter_event_invalid_value', param, 'The value must be a decimal with at most 15 digits and 12 decimals, like 12.5.');
  return { value, uniqueValue: null };
}

const own = (hash: Record<string, string>, key: string): string | undefined => (Object.hasOwn(hash, key) ? hash[key] : undefined);

/** All that makes an event this event and no other; the same for the same event sent again. */
export const contentOf = ({ eventName, payload, timestamp }: GivenEvent): string =>
  JSON.stringify([eventName, timestamp, Object.entries(payload).sort(([a], [b]) => (a < b ? -1 : 1))]);
