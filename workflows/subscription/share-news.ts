import type { InvoiceFacts, MemberFacts } from '../../activities/index.ts';
import { type SharedInvoiceNews, sharedInvoiceSignal } from '../messages.ts';
import { tell } from '../tell.ts';
import { adopt, type Desk } from './desk.ts';

/** Takes over what a step of a consolidated invoice made of this subscription and, once the invoice is final, tells the others what it made of them. */
export async function takeShared(desk: Desk, { id, status }: InvoiceFacts, shared: readonly MemberFacts[]): Promise<void> {
  for (const member of shared) if (member.subscriptionId === desk.state.subscriptionId) adopt(desk, member.subscription);
  if (status !== 'draft') await tellOthers(desk, id, shared);
}

/**
 * Tells other subscriptions what a decision made of them; `invoiceId`: the consolidated invoice that has become final by it. Whatever is done again because nobody knows whether it was done
 * is told again: their revisions say what is news.
 */
export async function tellOthers(desk: Desk, invoiceId: string | null, members: readonly MemberFacts[] = []): Promise<void> {
  if (!desk.repeating) await send(desk, members, { invoiceId });
}

/** Tells the others that their invoice is being chased: each of them looks after its dunning from now on. */
export const tellOfDunning = (desk: Desk, invoiceId: string, members: readonly MemberFacts[]): Promise<void> =>
  send(desk, members, { invoiceId, isChased: true });

async function send(desk: Desk, members: readonly MemberFacts[], news: Omit<SharedInvoiceNews, 'subscription'>): Promise<void> {
  for (const { subscriptionId, subscription } of members) {
    if (subscriptionId === desk.state.subscriptionId) continue;
    await tell(subscriptionId, sharedInvoiceSignal, { ...news, subscription });
    desk.clock.noteNews(subscriptionId);
  }
}
