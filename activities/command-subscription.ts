import { Context } from '@temporalio/activity';
import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { isRefusalCode, type RefusalCode } from '../domain/errors.ts';

/** What a subscription said to a command; `gone`: no workflow of it runs. */
export type Answered<R> = { is: 'done'; result: R } | { is: 'refused'; code: RefusalCode; message: string } | { is: 'gone' };

/** Less than a try of the activity, so that what is not answered ends the call and not only the waiting for it. */
const PATIENCE_MS = 20_000;

/**
 * Sends an update to a subscription's workflow, as workflows cannot. Sent again under the same operation id it finds its first answer.
 * @throws Error where there is no answer, or one that says nothing: the command may still be obeyed
 */
export async function commandSubscription<R>(send: (client: Client) => Promise<R>): Promise<Answered<R>> {
  const { client, cancellationSignal } = Context.current();
  try {
    const patience = AbortSignal.any([cancellationSignal, AbortSignal.timeout(PATIENCE_MS)]);
    return { is: 'done', result: await client.withAbortSignal(patience, () => send(client)) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { is: 'gone' };
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      if (cause instanceof ApplicationFailure && isRefusalCode(cause.type))
        return { is: 'refused', code: cause.type, message: cause.message };
    }
    throw error;
  }
}
