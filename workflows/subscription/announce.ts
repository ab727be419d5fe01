import { setCurrentDetails } from '@temporalio/workflow';
import { publishAttributes, subscriptionAttributes } from '../search-attributes.ts';
import { moment } from '../write-summary.ts';
import { agenda, describeStep } from './agenda.ts';
import type { Desk } from './desk.ts';

/** Shows the operator where the subscription stands and what comes next. Costs an event only where a search attribute has changed. */
export function announce(desk: Desk): void {
  publishAttributes(subscriptionAttributes(desk.state));
  setCurrentDetails(describe(desk));
}

function describe({ state, lastRefusal }: Desk): string {
  const { facts } = state;
  const lines = [`**${facts.status}**, period ${moment(facts.periodStart)} to ${moment(facts.periodEnd)}`, '', '**Next**'];
  if (facts.trial !== undefined) lines[0] += `, on trial until ${moment(facts.trial.end)}`;
  const steps = agenda(state);
  for (const step of steps) lines.push(`- ${moment(step.at)}: ${describeStep(step, state)}`);
  if (steps.length === 0) lines.push('- nothing by itself');
  for (const invoiceId of state.dunning) lines.push(`- dunning of ${invoiceId} is running (\`dunning:${invoiceId}\`)`);
  if (facts.pendingUpdate !== null) lines.push(`- a change waits for the payment of ${facts.pendingUpdate.invoiceId}`);
  const { stalled } = state;
  if (stalled !== null || state.parked.length > 0) lines.push('', '**Stuck**');
  if (stalled !== null) lines.push(`- ${stalled.step} since ${moment(stalled.since)}, ${stalled.tries} tries: ${stalled.error}`);
  for (const { step, invoiceId, since, tries, error } of state.parked) {
    lines.push(`- ${step.replace('_', ' ')} of ${invoiceId} since ${moment(since)}, ${tries} retries: ${error}`);
  }
  if (lastRefusal !== null) lines.push('', `**Last command not obeyed:** ${lastRefusal}`);
  return lines.join('\n');
}
