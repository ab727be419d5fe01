import type { Instant } from '../../domain/time.ts';
import type { ClockParticipant, ClockReached } from '../messages.ts';

/**
 * Which of one customer's workflows is moved next, and how far it may go by itself; null once all have done what is due until `target` and stand there. First all are asked where
 * they stand (a step to 0 moves nobody), then the earliest wake-up goes first; of several at one instant, the one that joined the clock first. It may go on, wake-up by
 * wake-up, for as long as the next one is still its own. Whoever is alone need not be asked. Pure.
 */
export function nextStep(participants: readonly ClockParticipant[], target: Instant): { workflowId: string; to: Instant } | null {
  const unknown = participants.find(({ at }) => at === null);
  if (unknown !== undefined) return { workflowId: unknown.workflowId, to: participants.length === 1 ? target : 0 };
  const due = participants.reduce<number | null>((earliest, { nextWakeAt }, index) => {
    const before = earliest === null ? target + 1 : (participants[earliest]?.nextWakeAt ?? target + 1);
    return nextWakeAt !== null && nextWakeAt < before ? index : earliest;
  }, null);
  const next = due ?? participants.findIndex(({ at }) => at !== null && at < target);
  const mover = participants[next];
  if (mover === undefined) return null;
  const bounds = participants.flatMap(({ nextWakeAt }, index) =>
    index === next || nextWakeAt === null ? [] : [index < next ? nextWakeAt - 1 : nextWakeAt],
  );
  return { workflowId: mover.workflowId, to: Math.min(target, ...bounds) };
}

/** A customer's participants after one of them was moved; `report` null: it is gone. Those it has started or told something are looked at next. Pure. */
export function takeReport(participants: readonly ClockParticipant[], workflowId: string, report: ClockReached | null): ClockParticipant[] {
  const news = new Set(report?.news ?? []);
  const customerId = participants.find((participant) => participant.workflowId === workflowId)?.customerId ?? '';
  const after: ClockParticipant[] = [];
  for (const participant of participants) {
    if (participant.workflowId !== workflowId) {
      after.push(news.delete(participant.workflowId) ? { ...participant, at: null } : participant);
    } else if (report !== null && !report.ended) {
      after.push({ ...participant, at: report.at, nextWakeAt: report.nextWakeAt });
      news.delete(workflowId);
    }
  }
  for (const id of news) if (id !== workflowId) after.push({ workflowId: id, customerId, at: null, nextWakeAt: null });
  return after;
}

/** Participants by customer, in the order in which the customers and each customer's workflows joined. Pure. */
export function byCustomer(participants: readonly ClockParticipant[]): Map<string, ClockParticipant[]> {
  const groups = new Map<string, ClockParticipant[]>();
  for (const participant of participants) {
    const group = groups.get(participant.customerId);
    if (group === undefined) groups.set(participant.customerId, [participant]);
    else group.push(participant);
  }
  return groups;
}
