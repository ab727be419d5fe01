import { type Database, withAccount } from '../db/client.ts';
import { recordMeterEvents } from '../db/record-meter-events.ts';
import type { Instant } from '../domain/time.ts';
import type { EventResult, GivenEvent } from '../domain/usage/meter-event.ts';

/** Hands events in; the answer comes when they are durable. */
export type MeterEventQueue = (accountId: string, events: readonly GivenEvent[]) => Promise<EventResult[]>;

/** Events of one write; more wait for the next. */
const MAX_TOGETHER = 4000;

interface Waiting {
  events: readonly GivenEvent[];
  resolve: (results: EventResult[]) => void;
  reject: (error: unknown) => void;
}

/**
 * One writer per account: what arrives while it writes waits and goes into the next write together, so that many small requests cost what one large one does. There is no timer: an event that comes alone is
 * written at once. Where a write of several requests fails, each is tried on its own.
 */
export function meterEventQueue(db: Database, now: () => Instant): MeterEventQueue {
  const accounts = new Map<string, Waiting[]>();

  const write = (accountId: string, events: readonly GivenEvent[]): Promise<EventResult[]> =>
    withAccount(db, accountId, (t) => recordMeterEvents(t, events, now()));

  async function writeTogether(accountId: string, requests: readonly Waiting[]): Promise<void> {
    try {
      const results = await write(
        accountId,
        requests.flatMap(({ events }) => events),
      );
      let from = 0;
      for (const { events, resolve } of requests) {
        resolve(results.slice(from, from + events.length));
        from += events.length;
      }
    } catch (error) {
      if (requests.length === 1) requests[0]?.reject(error);
      else for (const request of requests) await writeTogether(accountId, [request]);
    }
  }

  async function drain(accountId: string, waiting: Waiting[]): Promise<void> {
    while (waiting.length > 0) {
      let count = 0;
      let requests = 0;
      for (const { events } of waiting) {
        if (requests > 0 && count + events.length > MAX_TOGETHER) break;
        count += events.length;
        requests += 1;
      }
      await writeTogether(accountId, waiting.splice(0, requests));
    }
    accounts.delete(accountId);
  }

  return (accountId, events) =>
    new Promise((resolve, reject) => {
      const waiting = accounts.get(accountId);
      if (waiting !== undefined) {
        waiting.push({ events, resolve, reject });
        return;
      }
      const fresh: Waiting[] = [{ events, resolve, reject }];
      accounts.set(accountId, fresh);
      void drain(accountId, fresh);
    });
}
