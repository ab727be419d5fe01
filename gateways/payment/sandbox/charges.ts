import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { GatewayResult } from '../../../domain/payments/gateway-result.ts';
import type { Instant } from '../../../domain/time.ts';
import { type ChargeRequest, IdempotencyMismatch } from '../payment-gateway.ts';
import { type Behaviour, behaviourOf, declineMessage } from './test-payment-methods.ts';

type Status = 'succeeded' | 'declined' | 'processing' | 'requires_action';

interface ChargeRow {
  id: string;
  idempotency_key: string;
  request_hash: string;
  account_id: string;
  invoice_id: string;
  amount: string;
  currency: string;
  status: Status;
  decline_code: string | null;
  first_answer: GatewayResult;
  settles_at: string | null;
  settles_with: string | null;
}

/** A capture: money that left the customer. */
export interface Capture {
  chargeId: string;
  accountId: string;
  invoiceId: string;
  amount: number;
  currency: string;
  capturedAt: Instant;
}

/** Two requests are the same when they ask the same money from the same method for the same attempt; when they were sent does not matter. */
const hashOf = (request: ChargeRequest): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        request.amount,
        request.currency,
        request.paymentMethodReference,
        request.metadata.accountId,
        request.metadata.customerId,
        request.metadata.invoiceId,
        request.metadata.attemptId,
      ]),
    )
    .digest('hex');

const resultOf = (id: string, status: Status, declineCode: string | null): GatewayResult => ({
  kind: status,
  reference: id,
  declineCode,
  message: declineCode === null ? null : declineMessage(declineCode),
});

/**
 * Carries a request out, once per key. A second call with the key waits for the first one's
 * transaction and gets its answer. @throws IdempotencyMismatch
 */
export async function carryOut(pool: Pool, request: ChargeRequest, settlementDelay: number): Promise<GatewayResult> {
  return inTransaction(pool, async (client) => {
    // Serialises the charges of one key, so that the row below is either absent or final.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`sandbox:${request.idempotencyKey}`]);
    const hash = hashOf(request);
    const before = await findByKey(client, request.idempotencyKey);
    if (before) {
      if (before.request_hash !== hash) throw new IdempotencyMismatch(request.idempotencyKey);
      return before.first_answer;
    }
    const id = `ch_${createHash('sha256').update(request.idempotencyKey).digest('hex').slice(0, 24)}`;
    const outcome = await decide(client, request);
    const result = resultOf(id, outcome.status, outcome.declineCode);
    const { accountId, customerId, invoiceId, attemptId } = request.metadata;
    await client.query(
      `insert into sandbox.charges
         (id, idempotency_key, request_hash, account_id, customer_id, invoice_id, attempt_id, payment_method, amount, currency,
          status, decline_code, first_answer, charged_at, settles_at, settles_with)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
      [
        id,
        request.idempotencyKey,
        hash,
        accountId,
        customerId,
        invoiceId,
        attemptId,
        request.paymentMethodReference,
        request.amount,
        request.currency,
        outcome.status,
        outcome.declineCode,
        JSON.stringify(result),
        request.at,
        outcome.status === 'processing' ? request.at + settlementDelay : null,
        outcome.settlesWith,
      ],
    );
    if (outcome.status === 'succeeded') await capture(client, id, request.at);
    await note(client, id, outcome.status, request.at);
    return result;
  });
}

async function decide(
  client: PoolClient,
  request: ChargeRequest,
): Promise<{ status: Status; declineCode: string | null; settlesWith: string | null }> {
  const behaviour: Behaviour = behaviourOf(request.paymentMethodReference) ?? { does: 'decline', code: 'invalid_account' };
  const ends = (status: Status, declineCode: string | null = null, settlesWith: string | null = null) => ({
    status,
    declineCode,
    settlesWith,
  });
  switch (behaviour.does) {
    case 'succeed':
    case 'fault':
      return ends('succeeded');
    case 'decline':
      return ends('declined', behaviour.code);
    case 'requireAction':
      return ends('requires_action');
    case 'settleLater':
      return ends('processing', null, behaviour.code);
    case 'declineThenSucceed': {
      const { accountId, customerId } = request.metadata;
      const earlier = await client.query<{ count: string }>(
        'select count(*) from sandbox.charges where account_id = $1 and customer_id = $2 and payment_method = $3',
        [accountId, customerId, request.paymentMethodReference],
      );
      return Number(earlier.rows[0]?.count ?? 0) < behaviour.times ? ends('declined', behaviour.code) : ends('succeeded');
    }
  }
}

/** How the charge of a key stands at `at`, after letting it settle where its time has come; null where the key never arrived. */
export async function standingOf(pool: Pool, idempotencyKey: string, at: Instant): Promise<GatewayResult | null> {
  const row = await findByKey(pool, idempotencyKey);
  if (!row) return null;
  if (row.status === 'processing' && row.settles_at !== null && at >= Number(row.settles_at))
    return end(pool, idempotencyKey, ['processing'], at);
  return resultOf(row.id, row.status, row.decline_code);
}

/** Ends a charge that is in one of the states `from`: as it was going to settle, or as told by `how`. In any other state it stays as it is. Null: no such key. */
export async function end(
  pool: Pool,
  idempotencyKey: string,
  from: readonly Status[],
  at: Instant,
  how?: { declineCode: string | null },
): Promise<GatewayResult | null> {
  return inTransaction(pool, async (client) => {
    const row = await findByKey(client, idempotencyKey, 'for update');
    if (!row) return null;
    if (!from.includes(row.status)) return resultOf(row.id, row.status, row.decline_code);
    const declineCode = how ? how.declineCode : row.settles_with;
    const status: Status = declineCode === null ? 'succeeded' : 'declined';
    await client.query('update sandbox.charges set status = $2, decline_code = $3 where id = $1', [row.id, status, declineCode]);
    if (status === 'succeeded') await capture(client, row.id, at);
    await note(client, row.id, status, at);
    return resultOf(row.id, status, declineCode);
  });
}

/** Everything captured for an invoice, oldest first; more than one row is a double charge. */
export async function capturesOf(pool: Pool, invoiceId: string): Promise<Capture[]> {
  const found = await pool.query<{
    charge_id: string;
    account_id: string;
    invoice_id: string;
    amount: string;
    currency: string;
    captured_at: string;
  }>('select charge_id, account_id, invoice_id, amount, currency, captured_at from sandbox.captures where invoice_id = $1 order by id', [
    invoiceId,
  ]);
  return found.rows.map((row) => ({
    chargeId: row.charge_id,
    accountId: row.account_id,
    invoiceId: row.invoice_id,
    amount: Number(row.amount),
    currency: row.currency,
    capturedAt: Number(row.captured_at),
  }));
}

/** Deliberately without a unique constraint: a bug that captures twice must be able to show. */
async function capture(client: PoolClient, chargeId: string, at: Instant): Promise<void> {
  await client.query(
    `insert into sandbox.captures (charge_id, account_id, invoice_id, amount, currency, captured_at)
     select id, account_id, invoice_id, amount, currency, $2 from sandbox.charges where id = $1`,
    [chargeId, at],
  );
}

const EVENT_TYPES: Record<Status, string> = {
  succeeded: 'charge.succeeded',
  declined: 'charge.failed',
  processing: 'charge.processing',
  requires_action: 'charge.requires_action',
};

async function note(client: PoolClient, chargeId: string, status: Status, at: Instant): Promise<void> {
  await client.query('insert into sandbox.events (charge_id, type, occurred_at) values ($1, $2, $3)', [chargeId, EVENT_TYPES[status], at]);
}

async function findByKey(on: Pool | PoolClient, idempotencyKey: string, lock: '' | 'for update' = ''): Promise<ChargeRow | null> {
  const found = await on.query<ChargeRow>(`select * from sandbox.charges where idempotency_key = $1 ${lock}`, [idempotencyKey]);
  return found.rows[0] ?? null;
}

async function inTransaction<R>(pool: Pool, run: (client: PoolClient) => Promise<R>): Promise<R> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await run(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    client.release(true);
    throw error;
  }
}
