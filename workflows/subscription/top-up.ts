import type { LowCredit } from '../../domain/credits/low-credit.ts';
import * as act from './act.ts';
import { asOfNow, type Desk } from './desk.ts';
import { followInvoice } from './follow-invoice.ts';
import { giveWay } from './park.ts';

/** Buys credit where little is left. What does not work out now is due still, and is seen again with the next invoice or the next use. */
export async function topUp(desk: Desk, low: LowCredit): Promise<void> {
  try {
    const { invoice } = await act.topUpCredits(desk, low, asOfNow(desk));
    await followInvoice(desk, invoice, { collect: true, dropIfDeclined: false });
  } catch (error) {
    giveWay(desk, error);
  }
}
