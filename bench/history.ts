import type { Client, WorkflowHandle } from '@temporalio/client';
import { inParallel } from './in-parallel.ts';

const SAMPLE = 20;

export interface HistoryCost {
  /** How many of the sample had exactly these events. */
  sharedBy: string;
  events: number;
  /** The server's own count of what it stores for the run. */
  bytes: number;
  /** How many of the sample lost a task for ten seconds to the sticky queue of the worker that the bench had stopped. */
  lostTasks: number;
  /** Types in the order in which they were written. */
  types: string[];
}

/** The commonest history among the given closed runs, which each are one period with its renewal. */
export async function historyCost(client: Client, runs: readonly { workflowId: string; runId: string }[]): Promise<HistoryCost> {
  const read = await inParallel(runs.slice(0, SAMPLE), 4, ({ workflowId, runId }) => readRun(client.workflow.getHandle(workflowId, runId)));
  const groups = Map.groupBy(read, ({ types }) => types.join(' '));
  const commonest = [...groups.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  const [first] = commonest;
  if (first === undefined) throw new Error('no run to read');
  const bytes = commonest.map((run) => run.bytes).sort((a, b) => a - b)[Math.floor(commonest.length / 2)] ?? 0;
  const lostTasks = read.filter(({ types }) => types.includes('WorkflowTaskTimedOut')).length;
  return { sharedBy: `${commonest.length} of ${read.length}`, events: first.types.length, bytes, lostTasks, types: first.types };
}

async function readRun(handle: WorkflowHandle): Promise<{ types: string[]; bytes: number }> {
  const description = await handle.describe();
  const { events } = await handle.fetchHistory();
  const types = (events ?? []).map((event) => kindOf(event));
  return { types, bytes: description.historySize ?? 0 };
}

const NOT_KINDS = new Set([
  'eventId',
  'eventTime',
  'eventType',
  'version',
  'taskId',
  'workerMayIgnore',
  'userMetadata',
  'links',
  'principal',
]);

/** An event carries one field named after its type: `timerFiredEventAttributes`. */
function kindOf(event: object): string {
  const [field = 'unknown'] = Object.keys(event).filter((key) => !NOT_KINDS.has(key) && key.endsWith('EventAttributes'));
  const name = field.replace(/EventAttributes$/, '');
  return name.charAt(0).toUpperCase() + name.slice(1);
}
