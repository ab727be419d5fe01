import { getExternalWorkflowHandle, type SignalDefinition } from '@temporalio/workflow';

/**
 * Signals another workflow by its id, whichever run is current. One that has ended needs no news: the facts are in Postgres.
 * @returns whether somebody was there to be told
 */
export async function tell<Args extends unknown[]>(workflowId: string, signal: SignalDefinition<Args>, ...args: Args): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(signal, ...args);
    return true;
  } catch {
    // The server knows two reasons, not found and already closed, and both mean that nobody is left to be told.
    return false;
  }
}
