import type { AccountTransaction } from './client.ts';

export interface DoneOperation {
  operationId: string;
  kind: string;
  requestHash: string;
  result: unknown;
}

/** An operation that was carried out, with its answer; null where it was not. */
export async function findOperation(t: AccountTransaction, operationId: string): Promise<DoneOperation | null> {
  const { rows } = await t.trx.raw('select kind, request_hash, result from operations where account_id = ? and operation_id = ?', [t.accountId, operationId]);
  const row = rows[0];
  return row ? { operationId, kind: row.kind, requestHash: row.request_hash, result: row.result } : null;
}
