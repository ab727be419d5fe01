import { USAGE_INTERVAL } from '../messages.ts';
import { refusalIn } from '../read-failure.ts';
import * as act from './act.ts';
import { adopt, asOfNow, type Desk } from './desk.ts';
import { followInvoice } from './follow-invoice.ts';
import { giveWay } from './park.ts';
import { tellOthers } from './share-news.ts';
import { topUp } from './top-up.ts';

/** Puts a look at what is used on the agenda: now, or where it has just looked, when the interval is over. */
export function noteUsage({ state, clock }: Desk): void {
  const now = clock.now();
  const looked = state.usage?.looked ?? null;
  const rests = !clock.isFrozen && looked !== null && now < looked + USAGE_INTERVAL;
  state.usage = { told: now, looked, lookAt: rests ? looked + USAGE_INTERVAL : now };
}

/** Bills what is used where a threshold is reached, and buys credit where what is used leaves too little. What comes while nobody tells of it is seen when the interval since it was told last is over. */
export async function lookAtUsage(desk: Desk): Promise<void> {
  const { state, clock } = desk;
  const asOf = asOfNow(desk);
  const told = state.usage?.told ?? asOf;
  const silentUntil = told + USAGE_INTERVAL;
  state.usage = { told, looked: asOf, lookAt: !clock.isFrozen && asOf < silentUntil ? silentUntil : null };
  try {
    const outcome = await act.billThreshold(desk, asOf);
    adopt(desk, outcome.subscription);
    await tellOthers(desk, null, outcome.others);
    await followInvoice(desk, outcome.invoice, { collect: true, dropIfDeclined: false });
    if (outcome.lowCredit !== undefined) await topUp(desk, outcome.lowCredit);
  } catch (error) {
    if (giveWay(desk, error)) return;
    // Whatever is not billed now is billed when the period ends; what is refused will be refused again.
    if (refusalIn(error) === null) state.usage = { ...state.usage, lookAt: asOf + USAGE_INTERVAL };
  }
}
