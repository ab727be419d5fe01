import type { Operation } from '../domain/decision.ts';
import type { Refusal } from '../domain/errors.ts';
import type { AccountTransaction } from './client.ts';
import { insertRows, toTimestamp } from './table.ts';

export interface DoneOperation {
  operationId: string;
  kind: string;
  requestHash: string;
  result: unknown;
}

/** An operation that was carried out, with its answer; null where it was not. */
export async function findOperation(t: AccountTransaction, operationId: string): Promise<DoneOperation | null> {
  const { rows } = await t.run<DoneOperation>(
    `select operation_id as "operationId", kind, request_hash as "requestHash", result from operations where account_id = $1 and operation_id = $2`,
    [t.accountId, operationId],
  );
  return rows[0] ?? null;
}

/** Remembers a command to a subscription that was refused, for its timeline. The first refusal of an operation id stays. */
export async function recordRefusal(
  t: AccountTransaction,
  operation: Operation & { subscriptionId: string },
  refusal: Refusal,
): Promise<void> {
  await insertRows(
    t,
    'refused_commands',
    [
      {
        account_id: t.accountId,
        operation_id: operation.operationId,
        kind: operation.kind,
        as_of: toTimestamp(operation.asOf),
        subscription_id: operation.subscriptionId,
        invoice_id: operation.invoiceId,
        actor: operation.actor,
        parameters: operation.parameters ?? null,
        code: refusal.code,
        message: refusal.message,
        param: refusal.param ?? null,
        workflow_id: operation.run?.workflowId ?? null,
        run_id: operation.run?.runId ?? null,
      },
    ],
    'on conflict do nothing',
  );
}
