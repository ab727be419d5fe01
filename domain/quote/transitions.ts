import { drawStates } from '../draw-states.ts';
import { Refusal } from '../errors.ts';

export const QUOTE_STATUSES = ['draft', 'open', 'accepted', 'canceled'] as const;
export type QuoteStatus = (typeof QUOTE_STATUSES)[number];

export const QUOTE_EVENTS = ['finalized', 'accepted', 'canceled', 'expired'] as const;
export type QuoteEvent = (typeof QUOTE_EVENTS)[number];

/** The whole life of a quote; what is not here cannot happen. */
export const QUOTE_TRANSITIONS: Readonly<Record<QuoteStatus, Partial<Record<QuoteEvent, QuoteStatus>>>> = {
  draft: { finalized: 'open', canceled: 'canceled', expired: 'canceled' },
  open: { accepted: 'accepted', canceled: 'canceled', expired: 'canceled' },
  accepted: {},
  canceled: {},
};

/** The status after an event. @throws Refusal transition_not_allowed where the table has none. */
export function nextQuoteStatus(id: string, status: QuoteStatus, event: QuoteEvent): QuoteStatus {
  const next = QUOTE_TRANSITIONS[status][event];
  if (next !== undefined) return next;
  throw new Refusal('transition_not_allowed', `The quote ${id} is ${status} and cannot be ${event}.`);
}

/** The table as a Mermaid state diagram. */
export const drawQuoteTransitions = (): string => drawStates(QUOTE_TRANSITIONS, { starts: ['draft'], ends: ['accepted', 'canceled'] });
