import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type ReplayResult, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, inject, test } from 'vitest';
import { quietly } from '../support/quietly.ts';
import { readHistories } from './history-file.ts';
import { record } from './record.ts';

beforeAll(async () => {
  quietly();
  if (process.env['RECORD_HISTORIES'] === '1') await record();
}, 300_000);

async function replay(workflowBundle: WorkflowBundleOption): Promise<ReplayResult[]> {
  const results: ReplayResult[] = [];
  for await (const result of Worker.runReplayHistories({ workflowBundle }, readHistories())) results.push(result);
  return results;
}

test('this release replays every recorded life', async () => {
  const results = await replay({ codePath: inject('workflowBundlePath') });
  expect(results.filter(({ error }) => error !== undefined).map(({ workflowId, error }) => `${workflowId}: ${error}`)).toEqual([]);
  expect(results.length).toBeGreaterThanOrEqual(12);
});

test('a change that would break living workflows is caught, whichever workflow it is', async () => {
  const broken = fileURLToPath(new URL('broken/index.ts', import.meta.url));
  const results = await replay(await bundleWorkflowCode({ workflowsPath: broken, logger: new DefaultLogger('ERROR') }));
  expect(results.length).toBeGreaterThanOrEqual(12);
  for (const { workflowId, error } of results) expect(error, workflowId).toBeInstanceOf(DeterminismViolationError);
});
