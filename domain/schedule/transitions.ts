import { drawStates } from '../draw-states.ts';
import { Refusal } from '../errors.ts';

export const SCHEDULE_STATUSES = ['not_started', 'active', 'completed', 'released', 'canceled'] as const;
export type ScheduleStatus = (typeof SCHEDULE_STATUSES)[number];

export const SCHEDULE_EVENTS = [
  'started',
  /** Its subscription could not be created when the time came. */
  'start_failed',
  /** The last phase is over. */
  'phases_over',
  'released',
  'canceled',
  /** Its subscription ended before the last phase did. */
  'subscription_ended',
] as const;
export type ScheduleEvent = (typeof SCHEDULE_EVENTS)[number];

/** The whole life of a schedule; what is not here cannot happen. */
export const SCHEDULE_TRANSITIONS: Readonly<Record<ScheduleStatus, Partial<Record<ScheduleEvent, ScheduleStatus>>>> = {
  not_started: { started: 'active', start_failed: 'canceled', released: 'released', canceled: 'canceled' },
  active: { phases_over: 'completed', released: 'released', canceled: 'canceled', subscription_ended: 'canceled' },
  completed: {},
  released: {},
  canceled: {},
};

/** The status after an event. @throws Refusal transition_not_allowed where the table has none. */
export function nextScheduleStatus(id: string, status: ScheduleStatus, event: ScheduleEvent): ScheduleStatus {
  const next = SCHEDULE_TRANSITIONS[status][event];
  if (next !== undefined) return next;
  throw new Refusal(
    'transition_not_allowed',
    `The subscription schedule ${id} is ${status}; only one that is not_started or active can be changed, released or canceled.`,
  );
}

/** Whether nothing is to come of it any more. */
export const isScheduleOver = (status: ScheduleStatus): boolean => Object.keys(SCHEDULE_TRANSITIONS[status]).length === 0;

/** The table as a Mermaid state diagram. */
export const drawScheduleTransitions = (): string =>
  drawStates(SCHEDULE_TRANSITIONS, { starts: ['not_started', 'active'], ends: SCHEDULE_STATUSES.filter(isScheduleOver) });
