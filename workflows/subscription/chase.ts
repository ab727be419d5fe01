import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { InvoiceFacts } from '../../activities/index.ts';
import {
  dunningWorkflowId,
  type JoinClock,
  joinClockSignal,
  type PaymentMethodChanged,
  paymentMethodChangedSignal,
  type StartDunning,
  stopDunningSignal,
  WORKFLOW_TYPES,
} from '../messages.ts';
import { dunningAttributes } from '../search-attributes.ts';
import { tell } from '../tell.ts';
import { money } from '../write-summary.ts';
import type { Desk } from './desk.ts';
import { tellOfDunning } from './share-news.ts';

/**
 * Hands an unpaid invoice, or one that was sent, to dunning and goes on. An incomplete subscription has no dunning: it is paid or it expires; what one that has ended
 * owes stays open. The child is abandoned on purpose: closing policies also strike when its parent continues as new.
 */
export async function chase(desk: Desk, invoice: InvoiceFacts): Promise<void> {
  const { state, clock } = desk;
  const { status, currency, planId } = state.facts;
  const isSent = invoice.dueDate !== undefined;
  if (invoice.status !== 'open' || !(['past_due', 'active', 'trialing', 'paused'].includes(status) || (isSent && status === 'unpaid')))
    return;
  const start: StartDunning = {
    accountId: state.accountId,
    ...(invoice.shared
      ? { subscriptionId: null, subscriptionIds: invoice.shared.map((member) => member.subscriptionId) }
      : { subscriptionId: state.subscriptionId }),
    customerId: state.customerId,
    invoiceId: invoice.id,
    currency,
    planId,
    clock: clock.forChild(),
    generation: state.generation,
  };
  await startDunning(start, `${isSent ? 'waits for' : 'chases'} ${invoice.id}, ${money(invoice.amountRemaining, invoice.currency)}`);
  clock.noteNews(dunningWorkflowId(invoice.id));
  if (invoice.shared) await tellOfDunning(desk, invoice.id, invoice.shared);
  // Who has completed a consolidated invoice may have nothing on it, and is not told how its dunning ends.
  if (invoice.shared?.every(({ subscriptionId }) => subscriptionId !== state.subscriptionId) !== true) noteDunning(desk, invoice.id);
}

/** This subscription looks after a dunning: tells it of new cards, of its clock, and of its own end. */
export function noteDunning({ state }: Desk, invoiceId: string): void {
  if (!state.dunning.includes(invoiceId)) state.dunning.push(invoiceId);
}

/** Where there is one already, nothing happens. */
export async function startDunning(start: StartDunning, staticSummary: string): Promise<void> {
  try {
    await startChild<(input: StartDunning) => Promise<void>>(WORKFLOW_TYPES.dunning, {
      workflowId: dunningWorkflowId(start.invoiceId),
      args: [start],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary,
      typedSearchAttributes: dunningAttributes(start, 'retrying'),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

export async function stopDunning(desk: Desk): Promise<void> {
  for (const workflowId of chasing(desk)) await tell(workflowId, stopDunningSignal);
}

export async function forwardPaymentMethod(desk: Desk, news: PaymentMethodChanged): Promise<void> {
  for (const workflowId of chasing(desk)) await tell(workflowId, paymentMethodChangedSignal, news);
}

/** The dunnings of an invoice live in the time of its subscription. */
export async function forwardClock(desk: Desk, clock: JoinClock): Promise<void> {
  for (const workflowId of chasing(desk)) await tell(workflowId, joinClockSignal, clock);
}

function chasing({ state, clock }: Desk): string[] {
  const ids = state.dunning.map(dunningWorkflowId);
  for (const workflowId of ids) clock.noteNews(workflowId);
  return ids;
}
