import type { AccountTransaction } from './client.ts';

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
