import { sleep } from '@temporalio/workflow';
import * as honest from '../../../workflows/index.ts';

/** What a careless change looks like to workflows that are already alive: one more timer, first thing. The replay gate must not let it pass. */
export async function subscription(...args: Parameters<typeof honest.subscription>): Promise<void> {
  await sleep('1s');
  return honest.subscription(...args);
}

export async function dunning(...args: Parameters<typeof honest.dunning>): Promise<void> {
  await sleep('1s');
  return honest.dunning(...args);
}

export async function invoice(...args: Parameters<typeof honest.invoice>): Promise<void> {
  await sleep('1s');
  return honest.invoice(...args);
}
