import { describe, expect, it } from 'vitest';
import {
  type ChargeRequest,
  GatewayUnavailable,
  IdempotencyMismatch,
  type PaymentGateway,
  WebhookRejected,
} from '../../gateways/payment/payment-gateway.ts';

/** What a gateway's test environment offers for the suite to drive. */
export interface GatewayContractSetup {
  gateway(): PaymentGateway;
  /** References of payment methods with a known behaviour; null where the gateway has none of the kind. */
  methods: {
    succeeds: string;
    declines: { reference: string; code: string };
    settlesLater: string | null;
    needsCustomer: string | null;
  };
  /** Makes the next charge of the key be captured and its answer lost. */
  loseAnswer(idempotencyKey: string): Promise<void>;
  /** Makes the next charge of the key never arrive. */
  loseRequest(idempotencyKey: string): Promise<void>;
  /** How many captures the processor made for an invoice. */
  capturesOf(invoiceId: string): Promise<number>;
  settle(idempotencyKey: string): Promise<void>;
  authenticate(idempotencyKey: string): Promise<void>;
  /** The deliveries the gateway would send now. */
  deliveries(): Promise<{ body: string; signature: string }[]>;
}

export const AT = 1_798_761_600;

let last = 0;
/** A request nobody made before. */
export function freshRequest(paymentMethodReference: string, overrides: Partial<ChargeRequest> = {}): ChargeRequest {
  last += 1;
  const invoiceId = `in_${process.pid}x${last}`;
  return {
    idempotencyKey: `${invoiceId}:attempt-1`,
    amount: 1200,
    currency: 'eur',
    paymentMethodReference,
    metadata: { accountId: 'acct_contract', customerId: `cus_${last}`, invoiceId, attemptId: `pa_${last}` },
    at: AT,
    ...overrides,
  };
}

/** What every PaymentGateway must do. */
export function describeGatewayContract(name: string, setup: GatewayContractSetup): void {
  const { methods } = setup;

  describe(`payment gateway contract: ${name}`, () => {
    it('describes a payment method and refuses one that does not exist', async () => {
      const details = await setup.gateway().attachPaymentMethod({ reference: methods.succeeds });
      expect(details.reference).not.toBe('');
      if (details.type === 'card') expect(details.card?.last4).toMatch(/^\d{4}$/);
      await expect(setup.gateway().attachPaymentMethod({ reference: 'pm_none' })).rejects.toMatchObject({
        name: 'Refusal',
        code: 'resource_missing',
      });
    });

    it('captures once for a key, and answers the same again', async () => {
      const request = freshRequest(methods.succeeds);
      const first = await setup.gateway().charge(request);
      expect(first).toMatchObject({ kind: 'succeeded', declineCode: null });
      expect(first.reference).toEqual(expect.any(String));
      expect(await setup.gateway().charge({ ...request, at: AT + 60 })).toEqual(first);
      expect(await setup.capturesOf(request.metadata.invoiceId)).toBe(1);
    });

    it('captures once for concurrent requests of one key', async () => {
      const request = freshRequest(methods.succeeds);
      const answers = await Promise.all(Array.from({ length: 8 }, () => setup.gateway().charge(request)));
      expect(new Set(answers.map((answer) => answer.reference)).size).toBe(1);
      expect(await setup.capturesOf(request.metadata.invoiceId)).toBe(1);
    });

    it.each<[string, Partial<ChargeRequest>]>([
      ['amount', { amount: 1300 }],
      ['currency', { currency: 'usd' }],
    ])('refuses a key that was used with another %s', async (_part, change) => {
      const request = freshRequest(methods.succeeds);
      await setup.gateway().charge(request);
      await expect(setup.gateway().charge({ ...request, ...change })).rejects.toBeInstanceOf(IdempotencyMismatch);
      expect(await setup.capturesOf(request.metadata.invoiceId)).toBe(1);
    });

    it('answers a decline as a result, also at look-up', async () => {
      const request = freshRequest(methods.declines.reference);
      const answer = await setup.gateway().charge(request);
      expect(answer).toMatchObject({ kind: 'declined', declineCode: methods.declines.code });
      expect(answer.message).toEqual(expect.any(String));
      expect(await setup.capturesOf(request.metadata.invoiceId)).toBe(0);
      expect(await setup.gateway().lookUp(request.idempotencyKey, AT)).toEqual(answer);
    });

    it('finds by its key what was charged, and nothing where nothing arrived', async () => {
      const request = freshRequest(methods.succeeds);
      expect(await setup.gateway().lookUp(request.idempotencyKey, AT)).toBeNull();
      const answer = await setup.gateway().charge(request);
      expect(await setup.gateway().lookUp(request.idempotencyKey, AT)).toEqual(answer);
    });

    it('finds a capture whose answer was lost, and does not repeat it', async () => {
      const request = freshRequest(methods.succeeds);
      await setup.loseAnswer(request.idempotencyKey);
      await expect(setup.gateway().charge(request)).rejects.toBeInstanceOf(GatewayUnavailable);
      expect(await setup.gateway().lookUp(request.idempotencyKey, AT)).toMatchObject({ kind: 'succeeded' });
      expect(await setup.gateway().charge(request)).toMatchObject({ kind: 'succeeded' });
      expect(await setup.capturesOf(request.metadata.invoiceId)).toBe(1);
    });

    it('takes a request under its key that was lost on the way', async () => {
      const request = freshRequest(methods.succeeds);
      await setup.loseRequest(request.idempotencyKey);
      await expect(setup.gateway().charge(request)).rejects.toBeInstanceOf(GatewayUnavailable);
      expect(await setup.gateway().lookUp(request.idempotencyKey, AT)).toBeNull();
      expect(await setup.gateway().charge(request)).toMatchObject({ kind: 'succeeded' });
      expect(await setup.capturesOf(request.metadata.invoiceId)).toBe(1);
    });

    it('does not outlive the deadline of its caller', async () => {
      const request = freshRequest(methods.succeeds);
      await expect(setup.gateway().charge(request, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(GatewayUnavailable);
    });

    it.runIf(methods.settlesLater !== null)('processes a debit first and settles it later', async () => {
      const request = freshRequest(methods.settlesLater ?? '');
      expect(await setup.gateway().charge(request)).toMatchObject({ kind: 'processing', declineCode: null });
      expect(await setup.capturesOf(request.metadata.invoiceId)).toBe(0);
      await setup.settle(request.idempotencyKey);
      expect(await setup.gateway().lookUp(request.idempotencyKey, AT)).toMatchObject({ kind: 'succeeded' });
      await setup.settle(request.idempotencyKey);
      expect(await setup.capturesOf(request.metadata.invoiceId)).toBe(1);
    });

    it.runIf(methods.needsCustomer !== null)('captures when the customer has confirmed, and never after it was taken back', async () => {
      const confirmed = freshRequest(methods.needsCustomer ?? '');
      expect(await setup.gateway().charge(confirmed)).toMatchObject({ kind: 'requires_action' });
      await setup.authenticate(confirmed.idempotencyKey);
      expect(await setup.gateway().lookUp(confirmed.idempotencyKey, AT)).toMatchObject({ kind: 'succeeded' });
      expect(await setup.gateway().cancel?.(confirmed.idempotencyKey, AT)).toMatchObject({ kind: 'succeeded' });

      const canceled = freshRequest(methods.needsCustomer ?? '');
      await setup.gateway().charge(canceled);
      expect(await setup.gateway().cancel?.(canceled.idempotencyKey, AT)).toMatchObject({ kind: 'declined', declineCode: 'canceled' });
      await setup.authenticate(canceled.idempotencyKey);
      expect(await setup.capturesOf(canceled.metadata.invoiceId)).toBe(0);
    });

    it('signs its webhooks', async () => {
      await setup.deliveries();
      const request = freshRequest(methods.succeeds);
      await setup.gateway().charge(request);
      const [delivery] = await setup.deliveries();
      if (!delivery) throw new Error('nothing was delivered');
      const event = setup.gateway().parseWebhook(delivery.body, delivery.signature, AT);
      expect(event).toMatchObject({ gateway: setup.gateway().name, idempotencyKey: request.idempotencyKey, metadata: request.metadata });
      const forged = delivery.body.replace(request.metadata.invoiceId, 'in_other');
      expect(() => setup.gateway().parseWebhook(forged, delivery.signature, AT)).toThrow(WebhookRejected);
      expect(() => setup.gateway().parseWebhook(delivery.body, 'nonsense', AT)).toThrow(WebhookRejected);
      expect(() => setup.gateway().parseWebhook(delivery.body, delivery.signature, AT + 86_400)).toThrow(WebhookRejected);
    });
  });
}
