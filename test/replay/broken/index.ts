import { proxyActivities } from '@temporalio/workflow';
import * as honest from '../../../workflows/index.ts';

const { audit } = proxyActivities<{ audit(workflow: string): Promise<void> }>({ startToCloseTimeout: '5s' });

/** What a careless change does to workflows that are already alive: one more activity, first thing. The replay gate must not let it pass. */
export async function subscription(...args: Parameters<typeof honest.subscription>): Promise<void> {
  await audit('subscription');
  return honest.subscription(...args);
}

export async function dunning(...args: Parameters<typeof honest.dunning>): Promise<void> {
  await audit('dunning');
  return honest.dunning(...args);
}

export async function invoice(...args: Parameters<typeof honest.invoice>): Promise<void> {
  await audit('invoice');
  return honest.invoice(...args);
}

export async function testClock(...args: Parameters<typeof honest.testClock>): Promise<void> {
  await audit('testClock');
  return honest.testClock(...args);
}
