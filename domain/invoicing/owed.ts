import type { Instant } from '../time.ts';
import type { Invoice } from './invoice.ts';

type Due = Pick<Invoice, 'status' | 'dueDate' | 'attempted' | 'amountRemaining'>;

/** Whether a finalised invoice should have been paid by now: its due date has come, or a payment of it has failed. */
export const isOwed = ({ status, dueDate, attempted, amountRemaining }: Due, asOf: Instant): boolean =>
  status === 'open' && amountRemaining > 0 && (dueDate === null ? attempted : dueDate <= asOf);

/**
 * Whether somebody has to watch for the due date of an open invoice, or for what follows after it. One of a subscription is watched where it advances by itself; one of none is told
 * to be overdue in any case, and nothing follows.
 */
export const isAwaited = ({
  status,
  dueDate,
  overdueAt,
  autoAdvance,
  subscriptionId,
  subscriptionIds,
}: Pick<Invoice, 'status' | 'dueDate' | 'overdueAt' | 'autoAdvance' | 'subscriptionId' | 'subscriptionIds'>): boolean =>
  status === 'open' && dueDate !== null && (subscriptionId === null && subscriptionIds === undefined ? overdueAt === null : autoAdvance);
