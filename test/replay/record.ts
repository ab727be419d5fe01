import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { skippingEnvironment } from '../workflows/environment.ts';
import { recordAll } from './stories.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const HISTORIES = fileURLToPath(new URL('histories', import.meta.url));

/**
 * Lives all stories again and replaces the histories by theirs (`RECORD_HISTORIES=1` with the replay tests). A history that can no longer be replayed
 * stands for subscriptions that are alive: record anew only what `patched()` cannot keep, and say why.
 */
export async function record(): Promise<void> {
  await mkdir(HISTORIES, { recursive: true });
  for (const file of await readdir(HISTORIES)) await rm(join(HISTORIES, file));
  for (const { name, history } of await recordAll(skippingEnvironment)) await writeFile(join(HISTORIES, `${name}.json`), `${anonymous(historyToJSON(history))}\n`);
}

/** Without the names of the machine it was recorded on. */
const anonymous = (json: string): string => json.replaceAll(ROOT, '/perennial/').replace(/"identity": "[^"]*"/g, '"identity": "worker"');
