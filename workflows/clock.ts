import { CancellationScope, condition, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { Instant } from '../domain/time.ts';
import { advanceClockSignal, clockReachedSignal, type JoinClock } from './messages.ts';
import type { ClockSetting, ClockStep } from './subscription/state.ts';
import { tell } from './tell.ts';

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

  get isFrozen(): boolean {
    return this.setting.kind === 'frozen';
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
      await this.waitFrozen(at, woken);
      return;
    }
    this.setAlarm(at, summary);
    await condition(() => woken() || this.alarm?.rang === true);
    if (this.alarm?.rang === true) this.alarm = null;
  }

  /** Lets a test clock move this one. Its steps are taken up in `waitUntil` only, so time never moves while something is being done. */
  listen(): void {
    setHandler(
      advanceClockSignal,
      (step) => {
        if (this.setting.kind === 'frozen' && !isSame(this.setting.owed, step)) this.setting.asked = step;
      },
      { description: 'A test clock moves the time of this workflow.' },
    );
  }

  /**
   * From now on time is a test clock's. For whoever stands on one already, nothing changes: a clock is joined once. The loop calls it when nothing is being done; what falls due by
   * the clock's time is then done late, each boundary as of its own.
   */
  join({ id, at }: JoinClock): void {
    if (this.setting.kind === 'frozen') return;
    this.setAlarm(null, '');
    // The setting is a part of the workflow's state, which keeps it.
    Object.assign<ClockSetting, ClockSetting>(this.setting, { kind: 'frozen', id, at });
  }

  /** Another workflow of the same test clock has been started or told something, and may have something to do at once. */
  noteNews(workflowId: string): void {
    if (this.setting.kind !== 'frozen') return;
    this.setting.news = [...(this.setting.news ?? []).filter((known) => known !== workflowId), workflowId];
  }

  /** For a workflow that starts now, on the same clock. */
  forChild(): ClockSetting {
    return this.setting.kind === 'frozen' ? { kind: 'frozen', id: this.setting.id, at: this.setting.at } : { kind: 'real' };
  }

  /** The last word of a workflow that ends. */
  async takeLeave(): Promise<void> {
    while (this.takeStep() || this.owes()) await this.report(null, true);
  }

  /**
   * Goes on to its own next wake-up where the step under way reaches that far. Not when something was started or told meanwhile: then whoever heard of it comes first.
   */
  goOnTo(at: Instant | null): boolean {
    const { setting } = this;
    if (setting.kind === 'real' || !setting.owed || at === null || at > setting.owed.to || (setting.news ?? []).length > 0) return false;
    setting.at = Math.max(setting.at, at);
    return true;
  }

  /** Quiet until `at`: takes the next step that is asked for, and reports the one that was taken before. */
  private async waitFrozen(at: Instant | null, woken: () => boolean): Promise<void> {
    const isOver = (): boolean => woken() || (at !== null && this.now() >= at);
    while (!isOver()) {
      if (this.goOnTo(at) || this.takeStep()) continue;
      if (this.owes()) await this.report(at, false);
      else await condition(() => isOver() || this.isAsked());
    }
  }

  private isAsked(): boolean {
    return this.setting.kind === 'frozen' && (this.setting.asked ?? null) !== null;
  }

  private owes(): boolean {
    return this.setting.kind === 'frozen' && (this.setting.owed ?? null) !== null;
  }

  private takeStep(): boolean {
    const { setting } = this;
    if (setting.kind === 'real' || !setting.asked || setting.owed) return false;
    setting.owed = setting.asked;
    delete setting.asked;
    return true;
  }

  private async report(nextWakeAt: Instant | null, ended: boolean): Promise<void> {
    const { setting } = this;
    if (setting.kind === 'real' || !setting.owed) return;
    const { from, step, to } = setting.owed;
    const news = setting.news ?? [];
    if (news.length === 0) setting.at = Math.max(setting.at, to);
    delete setting.owed;
    delete setting.news;
    await tell(from, clockReachedSignal, { workflowId: workflowInfo().workflowId, step, at: setting.at, nextWakeAt, ended, news });
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

const isSame = (a: ClockStep | undefined, b: ClockStep): boolean => a !== undefined && a.from === b.from && a.step === b.step;
