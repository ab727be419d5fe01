import type { Pool } from 'pg';
import { GatewayUnavailable } from '../payment-gateway.ts';

/**
 * What can go wrong on demand. `…_after_capture`: the request was carried out and the answer is lost. `…_before_capture`: it never arrived.
 * `hang_after_capture`: carried out, then no answer until the caller's deadline. `look_up_down`: the look-up fails.
 */
export const FAULT_KINDS = [
  'timeout_after_capture',
  'error_after_capture',
  'hang_after_capture',
  'timeout_before_capture',
  'error_before_capture',
  'look_up_down',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Which calls a fault hits; absent parts match every call. */
export interface FaultTarget {
  idempotencyKey?: string;
  accountId?: string;
  invoiceId?: string;
}

export async function armFault(pool: Pool, kind: FaultKind, target: FaultTarget, times: number): Promise<void> {
  await pool.query('insert into sandbox.faults (kind, idempotency_key, account_id, invoice_id, times_left) values ($1, $2, $3, $4, $5)', [
    kind,
    target.idempotencyKey ?? null,
    target.accountId ?? null,
    target.invoiceId ?? null,
    times,
  ]);
}

/** Uses up one of the armed faults of these kinds that hit the call, oldest first; null where none does. */
export async function takeFault(pool: Pool, kinds: readonly FaultKind[], call: FaultTarget): Promise<FaultKind | null> {
  const taken = await pool.query<{ kind: FaultKind }>(
    `update sandbox.faults set times_left = times_left - 1
     where id = (
       select id from sandbox.faults
       where kind = any($1) and times_left > 0
         and (idempotency_key is null or idempotency_key = $2)
         and (account_id is null or account_id = $3)
         and (invoice_id is null or invoice_id = $4)
       order by id limit 1 for update skip locked)
     returning kind`,
    [kinds, call.idempotencyKey ?? null, call.accountId ?? null, call.invoiceId ?? null],
  );
  return taken.rows[0]?.kind ?? null;
}

/** Disarms every fault that is aimed at the target (all of them for an empty one). */
export async function disarmFaults(pool: Pool, target: FaultTarget = {}): Promise<void> {
  await pool.query(
    `update sandbox.faults set times_left = 0
     where ($1::text is null or idempotency_key = $1) and ($2::text is null or account_id = $2) and ($3::text is null or invoice_id = $3)`,
    [target.idempotencyKey ?? null, target.accountId ?? null, target.invoiceId ?? null],
  );
}

/** Whether this is the key's first call ever; the answer is remembered even where the call then fails. */
export async function isFirstCall(pool: Pool, idempotencyKey: string): Promise<boolean> {
  const marked = await pool.query('insert into sandbox.first_calls (idempotency_key) values ($1) on conflict do nothing', [idempotencyKey]);
  return marked.rowCount === 1;
}

/** Fails as the fault does. @throws GatewayUnavailable always */
export async function fail(kind: FaultKind, signal: AbortSignal | undefined): Promise<never> {
  if (kind === 'hang_after_capture' && signal) {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    throw new GatewayUnavailable('timeout', 'the sandbox did not answer before the deadline');
  }
  if (kind === 'error_after_capture' || kind === 'error_before_capture') {
    throw new GatewayUnavailable('server_error', 'the sandbox answered 500 Internal Server Error');
  }
  throw new GatewayUnavailable('timeout', 'the sandbox did not answer in time');
}
