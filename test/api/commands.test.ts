import { type Client, ServiceError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { describe, expect, it, vi } from 'vitest';
import { temporalCommands, WorkflowGone } from '../../api/commands.ts';
import { ApiError } from '../../api/errors.ts';
import { createMetrics } from '../../api/metrics.ts';
import { Refusal } from '../../domain/errors.ts';
import { UNAVAILABLE } from '../../workflows/messages.ts';

const CANCEL = { operationId: 'op_1', actor: 'test', prorate: false, invoiceNow: false };
const failedWith = (type: string, details: unknown[] = []): Error =>
  new WorkflowUpdateFailedError('Workflow Update failed', ApplicationFailure.create({ type, message: 'why', details, nonRetryable: true }));
const grpc = (code: number): Error =>
  new ServiceError('no', { cause: Object.assign(new Error('grpc'), { code, details: 'x', metadata: {} }) });

function commandsOver(executeUpdate: (...args: unknown[]) => Promise<unknown>) {
  const deadlines: (number | Date)[] = [];
  const client = {
    withDeadline: (deadline: number | Date, call: () => Promise<unknown>) => {
      deadlines.push(deadline);
      return call();
    },
    workflow: { getHandle: () => ({ executeUpdate, signal: executeUpdate }), executeUpdateWithStart: executeUpdate },
  } as unknown as Client;
  const metrics = createMetrics();
  return { commands: temporalCommands(client, { taskQueue: 'q', deadlineMs: 5_000 }, metrics), deadlines, metrics };
}

async function told(error: Error): Promise<unknown> {
  const { commands } = commandsOver(async () => {
    throw error;
  });
  return commands.cancel('sub_1', CANCEL).then(
    () => null,
    (reason: unknown) => reason,
  );
}

describe('what a workflow or the server says', () => {
  it('a refusal, with the parameter at fault', async () => {
    const error = await told(failedWith('last_item_removal', [{ param: 'items[0][deleted]' }]));
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ code: 'last_item_removal', param: 'items[0][deleted]', message: 'why' });
  });
  it('a refusal deep inside', async () => {
    const inner = ApplicationFailure.create({ type: 'invoice_not_open', message: 'inner' });
    const error = await told(
      new WorkflowUpdateFailedError('x', ApplicationFailure.create({ type: 'Other', message: 'outer', cause: inner })),
    );
    expect(error).toMatchObject({ code: 'invoice_not_open', message: 'inner' });
  });
  it('a decline as a card error', async () => {
    const error = await told(failedWith('payment_failed', [{ param: null, declineCode: 'insufficient_funds', invoiceId: 'in_1' }]));
    expect(error).toMatchObject({
      status: 402,
      body: { error: { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' } },
    });
  });
  it.each<[string, Error]>([
    ['the deadline passed', new WorkflowUpdateRPCTimeoutOrCancelledError('late')],
    ['the server is not there', grpc(14)],
    ['the server is overloaded', grpc(8)],
    ["the workflow's last task failed, with its worker", grpc(9)],
    ['the deadline passed below', grpc(4)],
    ['the workflow could not carry it out', failedWith(UNAVAILABLE)],
  ])('%s: 503, to be sent again', async (_, error) => {
    const answer = await told(error);
    expect(answer).toBeInstanceOf(ApiError);
    expect(answer).toMatchObject({ status: 503, retryAfter: 2 });
  });
  it.each<[string, Error]>([
    ['no such run', new WorkflowNotFoundError('gone', 'sub_1', undefined)],
    ['its id is used up', new WorkflowExecutionAlreadyStartedError('used', 'sub_1', 'subscription')],
  ])('%s', async (_, error) => {
    expect(await told(error)).toBeInstanceOf(WorkflowGone);
  });
  it('what nobody foresaw goes on as it is', async () => {
    const error = new Error('bug');
    expect(await told(error)).toBe(error);
    const failed = failedWith('SomethingElse');
    expect(await told(failed)).toBe(failed);
  });
});

it('sends again what a completing run accepted and did not answer', async () => {
  const update = vi
    .fn<() => Promise<unknown>>()
    .mockRejectedValueOnce(failedWith('AcceptedUpdateCompletedWorkflow'))
    .mockResolvedValueOnce({ payment: null });
  const { commands, deadlines, metrics } = commandsOver(update);
  expect(await commands.cancel('sub_1', CANCEL)).toEqual({ payment: null });
  expect(update).toHaveBeenCalledTimes(2);
  expect(new Set(deadlines).size).toBe(1);
  expect(await metrics.registry.getSingleMetricAsString('perennial_api_commands_total')).toContain(
    '{command="cancel",outcome="answered"} 1',
  );
});

it('sends the operation id as the update id, and starts what is commanded first', async () => {
  const update = vi.fn<(...args: unknown[]) => Promise<unknown>>(async () => ({ invoice: null, payment: null }));
  const { commands } = commandsOver(update);
  await commands.commandInvoice(
    { accountId: 'acct_1', invoiceId: 'in_1', subscriptionId: null, customerId: 'cus_1' },
    { operationId: 'op_2', actor: 'test', do: 'void' },
  );
  expect(update.mock.calls[0]?.[1]).toMatchObject({
    updateId: 'op_2',
    startWorkflowOperation: {
      workflowTypeOrFunc: 'invoice',
      options: { workflowId: 'invoice:in_1', taskQueue: 'q', workflowIdConflictPolicy: 'USE_EXISTING' },
    },
  });
});

it('does not mind that a subscription ended before the news of a new card', async () => {
  const { commands } = commandsOver(async () => {
    throw new WorkflowNotFoundError('gone', 'sub_1', undefined);
  });
  await expect(commands.paymentMethodChanged('sub_1', { paymentMethodId: 'pm_1', operationId: 'op_1' })).resolves.toBeUndefined();
});
