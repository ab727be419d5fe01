import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectPayment } from '../../activities/collect-payment.ts';
import type { Deps } from '../../activities/deps.ts';
import type { PaymentResult } from '../../activities/index.ts';
import { resolvePayment } from '../../activities/resolve-payment.ts';
import { updateAccount } from '../../db/accounts.ts';
import { withAccount } from '../../db/client.ts';
import { GatewayUnavailable, type PaymentGateway } from '../../gateways/payment/payment-gateway.ts';
import { paymentGatewayRegistry } from '../../gateways/payment/registry.ts';
import { ACCOUNT, ASOF, type BillingDesk, gist, openBillingDesk } from './billing-desk.ts';

let desk: BillingDesk;
beforeAll(async () => {
  desk = await openBillingDesk();
});
afterAll(() => desk?.close());

interface How {
  operationId?: string;
  asOf?: number;
  paymentMethodId?: string | null;
  deps?: Partial<Deps>;
  deadlineMs?: number;
}
const envelope = (operationId: string, asOf = ASOF) => ({ accountId: ACCOUNT, operationId, asOf, actor: 'test' });
const collect = (invoiceId: string, how: How = {}): Promise<PaymentResult> =>
  collectPayment(
    { ...desk.deps, ...how.deps },
    how.deadlineMs === undefined ? {} : { deadlineMs: how.deadlineMs },
  )({
    ...envelope(how.operationId ?? `collect:${invoiceId}`, how.asOf),
    invoiceId,
    paymentMethodId: how.paymentMethodId ?? null,
  });
const resolve = (invoiceId: string, n = 1, asOf = ASOF): Promise<PaymentResult> =>
  resolvePayment(desk.deps)({ ...envelope(`resolve:${invoiceId}:${n}`, asOf), invoiceId });
const captures = async (invoiceId: string): Promise<number> => (await desk.sandbox.capturesOf(invoiceId)).length;

/** A process that dies when it reaches the point. */
const dyingAt = (fatal: string): Partial<Deps> => ({
  reach: (point) => {
    if (point === fatal) throw new Error(`died at ${point}`);
  },
});

describe('one operation', () => {
  it('collects an invoice and activates its subscription', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    expect(gist(await collect(invoice.id))).toEqual({
      outcome: 'paid',
      attemptNumber: 1,
      declineCode: null,
      invoice: 'paid',
      subscription: 'active',
    });
    expect(await desk.attemptsOf(invoice.id)).toMatchObject([
      { number: 1, status: 'succeeded', amount: 1200, gateway: 'sandbox', operationId: `collect:${invoice.id}` },
    ]);
    expect(await desk.sandbox.capturesOf(invoice.id)).toMatchObject([{ amount: 1200, currency: 'eur', capturedAt: ASOF }]);
    expect(await desk.booked(invoice.id, 'cash:sandbox')).toBe(1200);
    expect(await desk.booked(invoice.id, 'receivable')).toBe(0);
  });

  it('answers the same when it is repeated, and charges nothing', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    const first = await collect(invoice.id);
    expect(await collect(invoice.id, { asOf: ASOF + 60 })).toEqual(first);
    expect(await captures(invoice.id)).toBe(1);
  });

  it('is refused under an operation id that was used for something else', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await collect(invoice.id);
    await expect(collect(invoice.id, { paymentMethodId: 'pm_other' })).rejects.toMatchObject({ code: 'operation_conflict' });
  });

  it('answers a decline as an outcome; the next operation is attempt 2', async () => {
    const { invoice, customerId } = await desk.openInvoice('pm_card_chargeDeclinedInsufficientFunds');
    const declined = await collect(invoice.id);
    expect(gist(declined)).toEqual({
      outcome: 'declined',
      attemptNumber: 1,
      declineCode: 'insufficient_funds',
      invoice: 'open',
      subscription: 'incomplete',
    });
    expect(await collect(invoice.id)).toEqual(declined);

    const paymentMethodId = await desk.attach(customerId, 'pm_card_visa');
    const paid = await collect(invoice.id, { operationId: `again:${invoice.id}`, paymentMethodId });
    expect(gist(paid)).toMatchObject({ outcome: 'paid', attemptNumber: 2, subscription: 'active' });
    expect(await captures(invoice.id)).toBe(1);
  });

  it('charges nothing without a payment method', async () => {
    const { invoice } = await desk.openInvoice(null);
    const answer = await collect(invoice.id);
    expect(gist(answer)).toMatchObject({ outcome: 'no_payment_method', attemptNumber: 0, invoice: 'open' });
    expect(await collect(invoice.id)).toEqual(answer);
    expect(await desk.attemptsOf(invoice.id)).toEqual([]);
  });

  it('is refused where the invoice is paid or not there', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await collect(invoice.id);
    await expect(collect(invoice.id, { operationId: `again:${invoice.id}` })).rejects.toMatchObject({ code: 'invoice_already_paid' });
    await expect(collect('in_none')).rejects.toMatchObject({ code: 'resource_missing' });
  });
});

describe('a gateway that gives no answer', () => {
  it.each(['pm_sandbox_timeoutAfterCapture', 'pm_sandbox_errorAfterCapture', 'pm_sandbox_timeoutBeforeCapture'])(
    '%s: the outcome is found by the key',
    async (method) => {
      const { invoice } = await desk.openInvoice(method);
      expect(gist(await collect(invoice.id))).toMatchObject({ outcome: 'paid', attemptNumber: 1 });
      expect(await captures(invoice.id)).toBe(1);
    },
  );

  it('is cut off at the deadline of the call', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await desk.sandbox.arm('hang_after_capture', { invoiceId: invoice.id });
    expect(gist(await collect(invoice.id, { deadlineMs: 1_000 }))).toMatchObject({ outcome: 'paid' });
    expect(await captures(invoice.id)).toBe(1);
  });

  it('leaves the outcome unknown, which blocks every other attempt until it is resolved', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await desk.sandbox.arm('timeout_after_capture', { invoiceId: invoice.id });
    await desk.sandbox.arm('look_up_down', { invoiceId: invoice.id }, 100);
    const unknown = await collect(invoice.id);
    expect(gist(unknown)).toMatchObject({ outcome: 'unknown', attemptNumber: 1, invoice: 'open' });
    await expect(collect(invoice.id, { operationId: `again:${invoice.id}` })).rejects.toMatchObject({ code: 'payment_in_progress' });
    expect(gist(await resolve(invoice.id, 1))).toMatchObject({ outcome: 'unknown' });

    await desk.sandbox.disarm({ invoiceId: invoice.id });
    const found = await resolve(invoice.id, 2);
    expect(gist(found)).toMatchObject({ outcome: 'paid', attemptNumber: 1, subscription: 'active' });
    expect(await resolve(invoice.id, 2)).toEqual(found);
    // The operation's answer stays what it was: what happened later is in the invoice.
    expect(await collect(invoice.id)).toEqual(unknown);
    expect(await captures(invoice.id)).toBe(1);
  });

  it('gets the request again under the same key where it never arrived', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await desk.sandbox.arm('timeout_before_capture', { invoiceId: invoice.id }, 3);
    expect(gist(await collect(invoice.id))).toMatchObject({ outcome: 'unknown' });
    expect(await captures(invoice.id)).toBe(0);
    expect(gist(await resolve(invoice.id))).toMatchObject({ outcome: 'paid', attemptNumber: 1 });
    expect(await captures(invoice.id)).toBe(1);
  });

  it('gets nothing again once it may have forgotten the key', async () => {
    const forgetful: PaymentGateway = { ...desk.sandbox, capabilities: { idempotencyWindowSeconds: 3600, canLookUp: true } };
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await desk.sandbox.arm('timeout_before_capture', { invoiceId: invoice.id }, 3);
    await collect(invoice.id);
    const late = await resolvePayment({ ...desk.deps, gateways: paymentGatewayRegistry([forgetful]) })({
      ...envelope(`resolve:${invoice.id}`, ASOF + 3600),
      invoiceId: invoice.id,
    });
    expect(gist(late)).toMatchObject({ outcome: 'declined', declineCode: 'not_received' });
    expect(await captures(invoice.id)).toBe(0);
  });

  it('stays unknown where it can neither look up nor be asked again', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await desk.sandbox.arm('timeout_after_capture', { invoiceId: invoice.id }, 3);
    const blind: PaymentGateway = {
      ...desk.sandbox,
      capabilities: { idempotencyWindowSeconds: 3600, canLookUp: false },
      lookUp: async () => null,
    };
    const gateways = paymentGatewayRegistry([blind]);
    expect(gist(await collect(invoice.id, { deps: { gateways } }))).toMatchObject({ outcome: 'unknown' });
    const late = await resolvePayment({ ...desk.deps, gateways })({
      ...envelope(`resolve:${invoice.id}`, ASOF + 3600),
      invoiceId: invoice.id,
    });
    expect(gist(late)).toMatchObject({ outcome: 'unknown' });
  });
});

describe('a process that dies', () => {
  it.each([
    'start-payment:recorded',
    'collect-payment:intent-committed',
    'collect-payment:gateway-called',
    'collect-payment:recorded',
    'collect-payment:committed',
  ])('at %s: the retry goes on with the same attempt and charges once', async (point) => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await expect(collect(invoice.id, { deps: dyingAt(point) })).rejects.toThrow(`died at ${point}`);
    const answer = await collect(invoice.id, { asOf: ASOF + 5 });
    expect(gist(answer)).toEqual({ outcome: 'paid', attemptNumber: 1, declineCode: null, invoice: 'paid', subscription: 'active' });
    expect(await desk.attemptsOf(invoice.id)).toHaveLength(1);
    expect(await captures(invoice.id)).toBe(1);
    expect(await desk.booked(invoice.id, 'cash:sandbox')).toBe(1200);
  });

  it('and a retry while the first try still runs charge once', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    const answers = await Promise.all(Array.from({ length: 5 }, () => collect(invoice.id)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await captures(invoice.id)).toBe(1);
    expect(await desk.booked(invoice.id, 'cash:sandbox')).toBe(1200);
  });

  it('never dies at a crash point for a live account', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await withAccount(desk.deps.db, ACCOUNT, (t) => updateAccount(t, { livemode: true }));
    try {
      expect(gist(await collect(invoice.id, { deps: dyingAt('collect-payment:intent-committed') }))).toMatchObject({ outcome: 'paid' });
    } finally {
      await withAccount(desk.deps.db, ACCOUNT, (t) => updateAccount(t, { livemode: false }));
    }
  });

  it('is found out by another operation, and pays nothing twice', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await expect(collect(invoice.id, { deps: dyingAt('collect-payment:gateway-called') })).rejects.toThrow('died');
    const other = await collect(invoice.id, { operationId: `other:${invoice.id}` });
    expect(gist(other)).toMatchObject({ outcome: 'paid', attemptNumber: 1, invoice: 'paid' });
    expect(gist(await collect(invoice.id))).toMatchObject({ outcome: 'paid', attemptNumber: 1 });
    expect(await captures(invoice.id)).toBe(1);
    expect(await desk.booked(invoice.id, 'cash:sandbox')).toBe(1200);
  });

  it('before the request was sent blocks others: the intent is its own to complete', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    await expect(collect(invoice.id, { deps: dyingAt('collect-payment:intent-committed') })).rejects.toThrow('died');
    await expect(collect(invoice.id, { operationId: `other:${invoice.id}` })).rejects.toMatchObject({ code: 'payment_in_progress' });
    expect(await captures(invoice.id)).toBe(0);
    expect(gist(await resolve(invoice.id))).toMatchObject({ outcome: 'paid', attemptNumber: 1 });
    expect(gist(await collect(invoice.id))).toMatchObject({ outcome: 'paid', attemptNumber: 1 });
    expect(await captures(invoice.id)).toBe(1);
  });
});

describe('several operations', () => {
  it('at once on one invoice capture once; each is answered or refused', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    const ends = await Promise.allSettled(
      Array.from({ length: 6 }, (_, n) => collect(invoice.id, { operationId: `racer-${n}:${invoice.id}` })),
    );
    const paid = ends.filter((end) => end.status === 'fulfilled').map((end) => end.value.outcome);
    const refused = ends.filter((end) => end.status === 'rejected').map((end) => (end.reason as { code: string }).code);
    expect(paid.length).toBeGreaterThan(0);
    expect(new Set(paid)).toEqual(new Set(['paid']));
    expect(refused.filter((code) => code !== 'payment_in_progress' && code !== 'invoice_already_paid')).toEqual([]);
    expect(await captures(invoice.id)).toBe(1);
    expect(await desk.attemptsOf(invoice.id)).toHaveLength(1);
    expect(await desk.booked(invoice.id, 'cash:sandbox')).toBe(1200);
  });

  it('take over after a decline that nobody recorded', async () => {
    const { invoice, customerId } = await desk.openInvoice('pm_card_chargeDeclined');
    await expect(collect(invoice.id, { deps: dyingAt('collect-payment:gateway-called') })).rejects.toThrow('died');
    const paymentMethodId = await desk.attach(customerId, 'pm_card_visa');
    const other = await collect(invoice.id, { operationId: `other:${invoice.id}`, paymentMethodId });
    expect(gist(other)).toMatchObject({ outcome: 'paid', attemptNumber: 2 });
    expect(gist(await collect(invoice.id))).toMatchObject({ outcome: 'declined', attemptNumber: 1, declineCode: 'generic_decline' });
  });
});

describe('money that takes its time', () => {
  it('processes, blocks, settles', async () => {
    const { invoice } = await desk.openInvoice('pm_usBankAccount_success');
    expect(gist(await collect(invoice.id))).toMatchObject({ outcome: 'processing', attemptNumber: 1, invoice: 'open' });
    await expect(collect(invoice.id, { operationId: `again:${invoice.id}` })).rejects.toMatchObject({ code: 'payment_in_progress' });
    expect(gist(await resolve(invoice.id, 1, ASOF + 86_400))).toMatchObject({ outcome: 'processing' });
    const settled = await resolve(invoice.id, 2, ASOF + 3 * 86_400);
    expect(gist(settled)).toEqual({ outcome: 'paid', attemptNumber: 1, declineCode: null, invoice: 'paid', subscription: 'active' });
    expect(await captures(invoice.id)).toBe(1);
  });

  it('may fail in the end', async () => {
    const { invoice } = await desk.openInvoice('pm_usBankAccount_accountClosed');
    await collect(invoice.id);
    expect(gist(await resolve(invoice.id, 1, ASOF + 3 * 86_400))).toMatchObject({
      outcome: 'declined',
      declineCode: 'account_closed',
      invoice: 'open',
    });
  });

  it('waits for the customer, and is taken back before another attempt', async () => {
    const { invoice, customerId } = await desk.openInvoice('pm_card_authenticationRequired');
    const waiting = await collect(invoice.id);
    expect(gist(waiting)).toMatchObject({ outcome: 'requires_action', attemptNumber: 1, invoice: 'open' });
    const paymentMethodId = await desk.attach(customerId, 'pm_card_visa');
    expect(gist(await collect(invoice.id, { operationId: `other:${invoice.id}`, paymentMethodId }))).toMatchObject({
      outcome: 'paid',
      attemptNumber: 2,
    });
    const [first] = await desk.attemptsOf(invoice.id);
    expect(first?.status).toBe('canceled');
    await desk.sandbox.authenticate(first?.idempotencyKey ?? '', ASOF);
    expect(await captures(invoice.id)).toBe(1);
  });

  it('is not asked for again where the customer has confirmed meanwhile', async () => {
    const { invoice } = await desk.openInvoice('pm_card_authenticationRequired');
    await collect(invoice.id);
    const [first] = await desk.attemptsOf(invoice.id);
    await desk.sandbox.authenticate(first?.idempotencyKey ?? '', ASOF + 60);
    expect(gist(await collect(invoice.id, { operationId: `other:${invoice.id}`, asOf: ASOF + 60 }))).toMatchObject({
      outcome: 'paid',
      attemptNumber: 1,
      subscription: 'active',
    });
    expect(await captures(invoice.id)).toBe(1);
  });

  it('is found when it is looked up after the customer has confirmed', async () => {
    const { invoice } = await desk.openInvoice('pm_card_authenticationRequired');
    await collect(invoice.id);
    expect(gist(await resolve(invoice.id, 1))).toMatchObject({ outcome: 'requires_action' });
    const [first] = await desk.attemptsOf(invoice.id);
    await desk.sandbox.authenticate(first?.idempotencyKey ?? '', ASOF + 60);
    expect(gist(await resolve(invoice.id, 2))).toMatchObject({ outcome: 'paid' });
  });
});

describe('resolving', () => {
  it('answers how the last attempt stands where none is open', async () => {
    const { invoice } = await desk.openInvoice('pm_card_chargeDeclinedLostCard');
    await expect(resolve(invoice.id, 1)).rejects.toMatchObject({ code: 'resource_missing' });
    await collect(invoice.id);
    expect(gist(await resolve(invoice.id, 2))).toMatchObject({ outcome: 'declined', attemptNumber: 1, declineCode: 'lost_card' });
    await expect(resolve('in_none')).rejects.toMatchObject({ code: 'resource_missing' });
  });

  it('throws on what is a fault of this program, so that it is seen', async () => {
    const { invoice } = await desk.openInvoice('pm_card_visa');
    const broken: PaymentGateway = {
      ...desk.sandbox,
      charge: async () => {
        throw new TypeError('a bug');
      },
    };
    await expect(collect(invoice.id, { deps: { gateways: paymentGatewayRegistry([broken]) } })).rejects.toThrow('a bug');
    await expect(collect(invoice.id, { deps: { gateways: {} } })).rejects.toThrow('knows no payment gateway named sandbox');
    const down: PaymentGateway = {
      ...desk.sandbox,
      charge: async () => {
        throw new GatewayUnavailable('connection', 'refused');
      },
    };
    expect(gist(await collect(invoice.id, { deps: { gateways: paymentGatewayRegistry([down]) } }))).toMatchObject({ outcome: 'unknown' });
    expect(gist(await resolve(invoice.id))).toMatchObject({ outcome: 'paid' });
  });
});
