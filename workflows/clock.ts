import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import type { Instant } from '../domain/time.ts';
import type { ClockSetting } from './subscription/state.ts';

/**
 * The only source of time in a workflow: real, or frozen at an instant that something else moves. Both wait by the same call, so a
 * subscription on a test clock runs the code that runs in production.
 */
export class Clock {
  readonly setting: ClockSetting;
  private alarm: { at: Instant; scope: CancellationScope; rang: boolean } | null = null;

  constructor(setting: ClockSetting) {
    this.setting = setting;
  }

  /** Whole unix seconds, rounded down. */
  now(): Instant {
    return this.setting.kind === 'frozen' ? this.setting.at : Math.floor(Date.now() / 1000);
  }

  /**
   * Returns when `woken` holds or `at` has come; `null` waits for `woken` alone. A timer that is still right is kept, so a message
   * that moves no deadline costs no timer events.
   */
  async waitUntil(at: Instant | null, woken: () => boolean, summary: string): Promise<void> {
    if (this.setting.kind === 'frozen') {
      await condition(() => woken() || (at !== null && this.now() >= at));
      return;
    }
    this.setAlarm(at, summary);
    await condition(() => woken() || this.alarm?.rang === true);
    if (this.alarm?.rang === true) this.alarm = null;
  }

  private setAlarm(at: Instant | null, summary: string): void {
    if (this.alarm !== null && this.alarm.at === at) return;
    this.alarm?.scope.cancel();
    this.alarm = null;
    if (at === null) return;
    const alarm = { at, scope: new CancellationScope({ cancellable: true }), rang: false };
    this.alarm = alarm;
    const ring = (): void => {
      alarm.rang = true;
    };
    alarm.scope.run(() => sleep(Math.max(1, at * 1000 - Date.now()), { summary })).then(ring, () => undefined);
  }
}
