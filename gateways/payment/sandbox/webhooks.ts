import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Pool } from 'pg';
import type { Instant } from '../../../domain/time.ts';
import { type ChargeMetadata, type GatewayEvent, WebhookRejected } from '../payment-gateway.ts';

/** One delivery as it would arrive over HTTP. */
export interface Delivery {
  body: string;
  /** Header `Stripe-Signature`: `t=<unix seconds>,v1=<hex hmac-sha256 of "t.body">`. */
  signature: string;
}

/** A signature older or newer than this is refused, so that a recorded delivery cannot be replayed for ever. */
const TOLERANCE_SECONDS = 300;

/**
 * Delivers the news that was not delivered yet, oldest first. `duplicate` sends each twice with the same event id, `reorder` sends the newest first.
 * `at` is the moment of sending, for the signature.
 */
export async function emitWebhooks(
  pool: Pool,
  secret: string,
  options: { at: Instant; duplicate?: boolean; reorder?: boolean; accountId?: string },
): Promise<Delivery[]> {
  const emitted = await pool.query<EventRow>(
    `update sandbox.events e set emitted = true from sandbox.charges c
     where c.id = e.charge_id and not e.emitted and ($1::text is null or c.account_id = $1)
     returning e.sequence, e.type, e.occurred_at, c.id as charge_id, c.idempotency_key, c.account_id, c.customer_id, c.invoice_id, c.attempt_id`,
    [options.accountId ?? null],
  );
  const rows = emitted.rows.sort((a, b) => Number(a.sequence) - Number(b.sequence));
  if (options.reorder) rows.reverse();
  return rows
    .flatMap((row) => (options.duplicate ? [row, row] : [row]))
    .map((row) => {
      const body = JSON.stringify(toPayload(row));
      return { body, signature: sign(secret, body, options.at) };
    });
}

interface EventRow {
  sequence: string;
  type: string;
  occurred_at: string;
  charge_id: string;
  idempotency_key: string;
  account_id: string;
  customer_id: string;
  invoice_id: string;
  attempt_id: string;
}

interface Payload {
  id: string;
  object: 'event';
  type: string;
  created: Instant;
  data: { object: { id: string; object: 'charge'; idempotency_key: string; metadata: ChargeMetadata } };
}

const toPayload = (row: EventRow): Payload => ({
  id: `evt_sandbox_${row.sequence}`,
  object: 'event',
  type: row.type,
  created: Number(row.occurred_at),
  data: {
    object: {
      id: row.charge_id,
      object: 'charge',
      idempotency_key: row.idempotency_key,
      metadata: { accountId: row.account_id, customerId: row.customer_id, invoiceId: row.invoice_id, attemptId: row.attempt_id },
    },
  },
});

const digest = (secret: string, body: string, at: Instant): Buffer => createHmac('sha256', secret).update(`${at}.${body}`).digest();
const sign = (secret: string, body: string, at: Instant): string => `t=${at},v1=${digest(secret, body, at).toString('hex')}`;

/** @throws WebhookRejected where the signature does not fit the body, is more than five minutes off `at`, or the body is no event of ours */
export function parseWebhook(gateway: string, secret: string, body: string, signature: string, at: Instant): GatewayEvent {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(signature);
  if (!match) throw new WebhookRejected('The signature header cannot be read.');
  const sentAt = Number(match[1]);
  if (!timingSafeEqual(Buffer.from(match[2] ?? '', 'hex'), digest(secret, body, sentAt))) {
    throw new WebhookRejected('The signature does not fit the body.');
  }
  if (Math.abs(at - sentAt) > TOLERANCE_SECONDS) throw new WebhookRejected('The signature is too old.');
  const payload = JSON.parse(body) as Payload;
  if (payload.object !== 'event' || payload.data?.object?.object !== 'charge') throw new WebhookRejected('This is no charge event.');
  const charge = payload.data.object;
  return {
    id: payload.id,
    gateway,
    type: payload.type,
    idempotencyKey: charge.idempotency_key,
    metadata: charge.metadata,
    occurredAt: payload.created,
  };
}
