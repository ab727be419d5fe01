import type { TestWorkflowEnvironment } from '@temporalio/testing';

/**
 * The time-skipping server locks its clock when a child ends and leaves it to the parent's run to unlock it. A parent that has continued as new since
 * never does, and no time is skipped ever after (temporalio/sdk-java#1540). This watches the children and gives the missing unlock back.
 * Real servers know no such lock.
 *
 * @param children ids of child workflows that may exist; asked again at each look
 * @returns stops watching
 */
export function keepSkipping(env: TestWorkflowEnvironment, children: () => Iterable<string>): () => Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  let watching = true;
  const unlocked = new Set<string>();
  const watch = async (): Promise<void> => {
    while (watching) {
      for (const workflowId of children()) {
        if (!unlocked.has(workflowId) && (await leftLocked(env, workflowId))) {
          unlocked.add(workflowId);
          await env.connection.testService?.unlockTimeSkipping({});
        }
      }
      await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
  };
  const watched = watch();
  return async () => {
    watching = false;
    stop();
    await watched;
  };
}

async function leftLocked({ client }: TestWorkflowEnvironment, workflowId: string): Promise<boolean> {
  try {
    const child = await client.workflow.getHandle(workflowId).describe();
    const { workflowId: parentId, runId } = child.raw.workflowExecutionInfo?.parentExecution ?? {};
    if (child.status.name !== 'COMPLETED' || !parentId || !runId) return false;
    const parent = await client.workflow.getHandle(parentId, runId).describe();
    return parent.status.name === 'CONTINUED_AS_NEW';
  } catch {
    return false;
  }
}
