import { hasEnded } from '../../domain/subscription/transitions.ts';
import { forwardClock, forwardPaymentMethod, noteDunning, stopDunning } from './chase.ts';
import { adopt, asOfNow, type Desk, type Fact } from './desk.ts';
import { followInvoice, forgetDraft, resolveUpdate } from './follow-invoice.ts';
import { noteUsage } from './look-at-usage.ts';
import { unpark } from './park.ts';

/** Takes note of what happened elsewhere, and does what follows from it. */
export async function takeFact(desk: Desk, fact: Fact): Promise<void> {
  const { state } = desk;
  switch (fact.name) {
    case 'invoiceSettled': {
      adopt(desk, fact.subscription);
      unpark(desk, fact.invoiceId);
      forgetDraft(desk, fact.invoiceId);
      if (state.facts.pendingUpdate?.invoiceId === fact.invoiceId) {
        await resolveUpdate(desk, fact.invoiceId, fact.status === 'paid', asOfNow(desk));
      }
      break;
    }
    case 'sharedInvoice':
      adopt(desk, fact.subscription);
      if (fact.invoiceId !== null) forgetDraft(desk, fact.invoiceId);
      if (fact.invoiceId !== null && fact.isChased === true) noteDunning(desk, fact.invoiceId);
      break;
    case 'draftChanged':
      forgetDraft(desk, fact.invoice.id);
      await followInvoice(desk, fact.invoice, { collect: true, dropIfDeclined: false });
      break;
    case 'invoiceOverdue':
      adopt(desk, fact.subscription);
      break;
    case 'dunningEnded':
      state.dunning = state.dunning.filter((invoiceId) => invoiceId !== fact.invoiceId);
      adopt(desk, fact.subscription);
      break;
    case 'usageReported':
      noteUsage(desk);
      return;
    case 'joinClock':
      desk.clock.join(fact);
      await forwardClock(desk, { id: fact.id, at: fact.at });
      return;
    case 'paymentMethodChanged': {
      const { name: _, ...news } = fact;
      await forwardPaymentMethod(desk, news);
      return;
    }
  }
  if (hasEnded(state.facts.status)) await stopDunning(desk);
}
