import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HistoryAndWorkflowId } from '@temporalio/client';

export type History = HistoryAndWorkflowId['history'];

export const HISTORIES = fileURLToPath(new URL('histories', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Histories as JSON in which payloads can be read. The SDK's own conversion needs its packages to share one copy of protobufjs, which npm does not promise;
 * here integers become numbers, and bytes `{ utf8 }` or `{ base64 }`.
 */
export function writeHistory(name: string, history: History): void {
  const json = JSON.stringify(plain(history), null, 1);
  // Nothing of the machine it was recorded on.
  const anonymous = json.replaceAll(ROOT, '/perennial/').replace(/"identity": "[^"]*"/g, '"identity": "worker"');
  writeFileSync(join(HISTORIES, `${name}.json`), `${anonymous}\n`);
}

export function readHistories(): HistoryAndWorkflowId[] {
  return readdirSync(HISTORIES)
    .sort()
    .map((file) => ({
      workflowId: file.replace('.json', ''),
      history: JSON.parse(readFileSync(join(HISTORIES, file), 'utf8'), (_, value: unknown) => bytesOf(value) ?? value) as History,
    }));
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return readable(Buffer.from(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('toNumber' in value && typeof value.toNumber === 'function') return value.toNumber();
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== null && part !== undefined)
      .map(([key, part]) => [key, plain(part)]),
  );
}

function readable(bytes: Buffer): { utf8: string } | { base64: string } {
  const utf8 = bytes.toString('utf8');
  return Buffer.from(utf8).equals(bytes) ? { utf8 } : { base64: bytes.toString('base64') };
}

function bytesOf(value: unknown): Uint8Array | null {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return null;
  if ('utf8' in value && typeof value.utf8 === 'string') return Buffer.from(value.utf8);
  return 'base64' in value && typeof value.base64 === 'string' ? Buffer.from(value.base64, 'base64') : null;
}
