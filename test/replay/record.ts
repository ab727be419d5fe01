import { mkdirSync, rmSync } from 'node:fs';
import { skippingEnvironment } from '../workflows/environment.ts';
import { HISTORIES, writeHistory } from './history-file.ts';
import { recordAll } from './stories.ts';

/**
 * Lives all stories again and replaces the histories by theirs (`RECORD_HISTORIES=1` with the replay tests). A history that can no longer be replayed
 * stands for subscriptions that are alive: record anew only what `patched()` cannot keep, and say why.
 */
export async function record(): Promise<void> {
  const recordings = await recordAll(skippingEnvironment);
  rmSync(HISTORIES, { recursive: true, force: true });
  mkdirSync(HISTORIES, { recursive: true });
  for (const { name, history } of recordings) writeHistory(name, history);
}
