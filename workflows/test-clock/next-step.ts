import type { Instant } from '../../domain/time.ts';
import type { ClockParticipant, ClockReached } from '../messages.ts';

/**
 * Who is moved next, and to when; null once all have done what is due until `target` and stand there. First all are asked where they stand (a step to 0 moves
 * nobody), then the earliest wake-up goes first; of several at one instant, the one that joined the clock first. Pure.
 */
export function nextStep(participants: readonly ClockParticipant[], target: Instant): { workflowId: string; to: Instant } | null {
  const unknown = participants.find(({ at }) => at === null);
  if (unknown !== undefined) return { workflowId: unknown.workflowId, to: 0 };
  const due = participants.reduce<{ workflowId: string; to: Instant } | null>((earliest, { workflowId, nextWakeAt }) => {
    if (nextWakeAt === null || nextWakeAt > target || (earliest !== null && nextWakeAt >= earliest.to)) return earliest;
    return { workflowId, to: nextWakeAt };
  }, null);
  if (due !== null) return due;
  const behind = participants.find(({ at }) => at !== null && at < target);
  return behind === undefined ? null : { workflowId: behind.workflowId, to: target };
}

/** The participants after one of them was moved; `report` null: it is gone. Those it has started or told something are looked at next. Pure. */
export function takeReport(participants: readonly ClockParticipant[], workflowId: string, report: ClockReached | null): ClockParticipant[] {
  const news = new Set(report?.news ?? []);
  const after: ClockParticipant[] = [];
  for (const participant of participants) {
    if (participant.workflowId !== workflowId) {
      after.push(news.delete(participant.workflowId) ? { ...participant, at: null } : participant);
    } else if (report !== null && !report.ended) {
      after.push({ workflowId, at: report.at, nextWakeAt: report.nextWakeAt });
      news.delete(workflowId);
    }
  }
  for (const id of news) if (id !== workflowId) after.push({ workflowId: id, at: null, nextWakeAt: null });
  return after;
}
