import pg from 'pg';
import type { GatewayResult } from '../../../domain/payments/gateway-result.ts';
import type { Instant } from '../../../domain/time.ts';
import { type CallOptions, type ChargeRequest, GatewayUnavailable, IdempotencyMismatch, type PaymentGateway } from '../payment-gateway.ts';
import { type Capture, capturesOf, carryOut, end, standingOf } from './charges.ts';
import { armFault, disarmFaults, type FaultKind, type FaultTarget, fail, isFirstCall, takeFault } from './faults.ts';
import { behaviourOf, describe } from './test-payment-methods.ts';
import { type Delivery, emitWebhooks, parseWebhook } from './webhooks.ts';

export interface SandboxOptions {
  /** The database that `migrateSandbox` prepared. */
  url: string;
  poolMax?: number;
  /** Seconds until a bank debit settles by itself when it is looked up; default three days. */
  settlementDelay?: number;
  webhookSecret?: string;
}

/** The processor's own side, which a billing engine never sees: for tests, demonstrations and crash runs. */
export interface SandboxGateway extends PaymentGateway {
  cancel(idempotencyKey: string, at: Instant, options?: CallOptions): Promise<GatewayResult | null>;
  /** Ends a charge in `processing` now; `declineCode` makes it fail. Null: no such key. */
  settle(idempotencyKey: string, at: Instant, how?: { declineCode: string | null }): Promise<GatewayResult | null>;
  /** The customer confirms (or, with a code, fails) a charge in `requires_action`. Null: no such key. */
  authenticate(idempotencyKey: string, at: Instant, how?: { declineCode: string | null }): Promise<GatewayResult | null>;
  /** Makes the next `times` calls that match go wrong. */
  arm(kind: FaultKind, target?: FaultTarget, times?: number): Promise<void>;
  disarm(target?: FaultTarget): Promise<void>;
  capturesOf(invoiceId: string): Promise<Capture[]>;
  emitWebhooks(options: { at: Instant; duplicate?: boolean; reorder?: boolean; accountId?: string }): Promise<Delivery[]>;
  close(): Promise<void>;
}

const DAY = 86_400;

/** Opens the built-in processor: in this process, over its own small pool, against its own schema. Connects at the first call. */
export function openSandbox(options: SandboxOptions): SandboxGateway {
  const pool = new pg.Pool({ connectionString: options.url, max: options.poolMax ?? 4, connectionTimeoutMillis: 10_000 });
  // An idle connection that the server closes is replaced at the next call; unheard, the event would end the process.
  pool.on('error', () => {});
  // A connection lost while it is in use fails the query that uses it; unheard, its event would end the process as well.
  pool.on('connect', (client) => client.on('error', () => {}));
  const settlementDelay = options.settlementDelay ?? 3 * DAY;
  const secret = options.webhookSecret ?? 'whsec_sandbox';

  /** A processor that cannot reach its own books answers nothing, as any other would. */
  const answering = async <R>(signal: AbortSignal | undefined, run: () => Promise<R>): Promise<R> => {
    if (signal?.aborted) throw new GatewayUnavailable('timeout', 'the deadline had passed before the request was sent');
    try {
      return await beforeDeadline(signal, run());
    } catch (error) {
      if (error instanceof GatewayUnavailable || error instanceof IdempotencyMismatch) throw error;
      throw new GatewayUnavailable('connection', 'the sandbox cannot be reached', { cause: error });
    }
  };

  return {
    name: 'sandbox',
    capabilities: { idempotencyWindowSeconds: null, canLookUp: true },

    async attachPaymentMethod(source) {
      return describe(source);
    },

    charge: (request, { signal } = {}) => answering(signal, () => charge(pool, request, settlementDelay, signal)),

    lookUp: (idempotencyKey, at, { signal } = {}) =>
      answering(signal, async () => {
        const owner = await pool.query<{ account_id: string; invoice_id: string }>(
          'select account_id, invoice_id from sandbox.charges where idempotency_key = $1',
          [idempotencyKey],
        );
        const { account_id: accountId, invoice_id: invoiceId } = owner.rows[0] ?? {};
        const target = {
          idempotencyKey,
          ...(accountId === undefined ? {} : { accountId }),
          ...(invoiceId === undefined ? {} : { invoiceId }),
        };
        const fault = await takeFault(pool, ['look_up_down'], target);
        return fault ? fail(fault, signal) : standingOf(pool, idempotencyKey, at);
      }),

    cancel: (idempotencyKey, at, { signal } = {}) =>
      answering(signal, () => end(pool, idempotencyKey, ['requires_action'], at, { declineCode: 'canceled' })),

    parseWebhook: (body, signature, at) => parseWebhook('sandbox', secret, body, signature, at),

    settle: (idempotencyKey, at, how) => end(pool, idempotencyKey, ['processing'], at, how),
    authenticate: (idempotencyKey, at, how) => end(pool, idempotencyKey, ['requires_action'], at, how ?? { declineCode: null }),
    arm: (kind, target = {}, times = 1) => armFault(pool, kind, target, times),
    disarm: (target) => disarmFaults(pool, target),
    capturesOf: (invoiceId) => capturesOf(pool, invoiceId),
    emitWebhooks: (emission) => emitWebhooks(pool, secret, emission),
    close: () => pool.end(),
  };
}

const BEFORE: readonly FaultKind[] = ['timeout_before_capture', 'error_before_capture'];
const AFTER: readonly FaultKind[] = ['timeout_after_capture', 'error_after_capture', 'hang_after_capture'];

async function charge(
  pool: pg.Pool,
  request: ChargeRequest,
  settlementDelay: number,
  signal: AbortSignal | undefined,
): Promise<GatewayResult> {
  const { idempotencyKey } = request;
  const target: FaultTarget = { idempotencyKey, accountId: request.metadata.accountId, invoiceId: request.metadata.invoiceId };
  const behaviour = behaviourOf(request.paymentMethodReference);
  const first = behaviour?.does === 'fault' && (await isFirstCall(pool, idempotencyKey)) ? behaviour.fault : null;

  const before = first === 'timeout_before_capture' ? first : await takeFault(pool, BEFORE, target);
  if (before) return fail(before, signal);
  const result = await carryOut(pool, request, settlementDelay);
  const after = first ?? (await takeFault(pool, AFTER, target));
  return after ? fail(after, signal) : result;
}

/** What the caller's deadline cuts off goes on at the processor, as it does at a real one. */
function beforeDeadline<R>(signal: AbortSignal | undefined, answer: Promise<R>): Promise<R> {
  if (!signal) return answer;
  return new Promise<R>((resolve, reject) => {
    const give = (): void => reject(new GatewayUnavailable('timeout', 'the sandbox did not answer before the deadline'));
    signal.addEventListener('abort', give, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}
