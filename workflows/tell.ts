import { getExternalWorkflowHandle, type SignalDefinition } from '@temporalio/workflow';

/**
 * Signals another workflow by its id, whichever run is current. One that has ended needs no news: the facts are in Postgres.
 */
export async function tell<Args extends unknown[]>(workflowId: string, signal: SignalDefinition<Args>, ...args: Args): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(signal, ...args);
  } catch {
    // The server knows two reasons, not found and already closed, and both mean that nobody is left to be told.
  }
}
