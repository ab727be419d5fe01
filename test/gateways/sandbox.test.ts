import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { GatewayUnavailable } from '../../gateways/payment/payment-gateway.ts';
import { paymentGateway, paymentGatewayRegistry } from '../../gateways/payment/registry.ts';
import { migrateSandbox } from '../../gateways/payment/sandbox/migrate.ts';
import { openSandbox, type SandboxGateway } from '../../gateways/payment/sandbox/sandbox-gateway.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { AT, describeGatewayContract, freshRequest } from './contract.ts';

let database: TestDatabase;
let sandbox: SandboxGateway;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  await Promise.all([migrateSandbox(database.url), migrateSandbox(database.url)]);
  sandbox = openSandbox({ url: database.url });
});

afterAll(async () => {
  await sandbox?.close();
  await database?.drop();
});

describeGatewayContract('sandbox', {
  gateway: () => sandbox,
  methods: {
    succeeds: 'pm_card_visa',
    declines: { reference: 'pm_card_chargeDeclinedInsufficientFunds', code: 'insufficient_funds' },
    settlesLater: 'pm_usBankAccount_success',
    needsCustomer: 'pm_card_authenticationRequired',
  },
  loseAnswer: (idempotencyKey) => sandbox.arm('timeout_after_capture', { idempotencyKey }),
  loseRequest: (idempotencyKey) => sandbox.arm('timeout_before_capture', { idempotencyKey }),
  capturesOf: async (invoiceId) => (await sandbox.capturesOf(invoiceId)).length,
  settle: async (idempotencyKey) => void (await sandbox.settle(idempotencyKey, AT)),
  authenticate: async (idempotencyKey) => void (await sandbox.authenticate(idempotencyKey, AT)),
  deliveries: () => sandbox.emitWebhooks({ at: AT }),
});

describe('test payment methods', () => {
  it.each([
    ['pm_card_visa', 'visa', '4242', 'US'],
    ['tok_visa', 'visa', '4242', 'US'],
    ['pm_card_visa_debit', 'visa', '5556', 'US'],
    ['pm_card_mastercard', 'mastercard', '4444', 'US'],
    ['pm_card_amex', 'amex', '0005', 'US'],
    ['pm_card_discover', 'discover', '1117', 'US'],
    ['pm_card_de', 'visa', '0016', 'DE'],
    ['pm_card_chargeCustomerFail', 'visa', '0341', 'US'],
    ['pm_card_declineThenSucceed_2', 'visa', '4242', 'US'],
  ])('describes %s', async (reference, brand, last4, country) => {
    const details = await sandbox.attachPaymentMethod({ reference });
    expect(details).toMatchObject({ type: 'card', card: { brand, last4, country, expMonth: 12 } });
    expect(await sandbox.attachPaymentMethod({ reference: details.reference })).toEqual(details);
  });

  it.each([
    ['pm_usBankAccount_success', 'us_bank_account'],
    ['pm_sepaDebit_success', 'sepa_debit'],
  ])('describes %s, which is no card', async (reference, type) => {
    expect(await sandbox.attachPaymentMethod({ reference })).toEqual({ type, reference, card: null });
  });

  it('takes test card numbers and no other', async () => {
    const card = (number: string, expMonth = 4, expYear = 2031) => sandbox.attachPaymentMethod({ card: { number, expMonth, expYear } });
    expect(await card('4242 4242 4242 4242')).toMatchObject({
      reference: 'pm_card_visa',
      card: { last4: '4242', expMonth: 4, expYear: 2031 },
    });
    expect(await card('4000000000000341')).toMatchObject({ reference: 'pm_card_chargeCustomerFail' });
    await expect(card('4242424242424241')).rejects.toMatchObject({ code: 'parameter_invalid', param: 'card[number]' });
    await expect(card('4111111111111111')).rejects.toThrow('test card numbers only');
    await expect(card('4242424242424242', 13)).rejects.toMatchObject({ param: 'card[exp_month]' });
  });

  it.each(['pm_card_nope', 'visa', 'pm_constructor', 'pm_', 'cus_1'])('does not know %s', async (reference) => {
    await expect(sandbox.attachPaymentMethod({ reference })).rejects.toMatchObject({ code: 'resource_missing' });
  });

  it.each([
    ['pm_card_chargeDeclined', 'generic_decline'],
    ['pm_card_visa_chargeDeclined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclinedLostCard', 'lost_card'],
    ['pm_card_chargeDeclinedStolenCard', 'stolen_card'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc'],
    ['pm_card_chargeDeclinedProcessingError', 'processing_error'],
    ['pm_card_chargeDeclinedFraudulent', 'fraudulent'],
    ['pm_card_chargeCustomerFail', 'generic_decline'],
    ['pm_card_gone', 'invalid_account'],
  ])('declines %s with %s', async (reference, declineCode) => {
    expect(await sandbox.charge(freshRequest(reference))).toMatchObject({ kind: 'declined', declineCode });
  });

  it('declines the first two charges of a customer and takes the third', async () => {
    const first = freshRequest('pm_card_declineThenSucceed_2');
    const kinds: string[] = [];
    for (const n of [1, 2, 3, 4]) {
      const { kind } = await sandbox.charge({ ...first, idempotencyKey: `${first.metadata.invoiceId}:attempt-${n}` });
      kinds.push(kind);
    }
    expect(kinds).toEqual(['declined', 'declined', 'succeeded', 'succeeded']);
    expect(await sandbox.charge(freshRequest('pm_card_declineThenSucceed_2'))).toMatchObject({ kind: 'declined' });
  });

  it('settles a bank debit by itself after three days, or fails it', async () => {
    const good = freshRequest('pm_sepaDebit_success');
    const bad = freshRequest('pm_usBankAccount_insufficientFunds');
    await sandbox.charge(good);
    await sandbox.charge(bad);
    const days = (n: number) => AT + n * 86_400;
    expect(await sandbox.lookUp(good.idempotencyKey, days(3) - 1)).toMatchObject({ kind: 'processing' });
    expect(await sandbox.lookUp(good.idempotencyKey, days(3))).toMatchObject({ kind: 'succeeded' });
    expect(await sandbox.lookUp(bad.idempotencyKey, days(3))).toMatchObject({ kind: 'declined', declineCode: 'insufficient_funds' });
    expect(await sandbox.capturesOf(good.metadata.invoiceId)).toMatchObject([{ amount: 1200, currency: 'eur', capturedAt: days(3) }]);
    expect(await sandbox.capturesOf(bad.metadata.invoiceId)).toEqual([]);
  });
});

describe('faults on demand', () => {
  it.each([
    ['pm_sandbox_timeoutAfterCapture', 'timeout', 1],
    ['pm_sandbox_errorAfterCapture', 'server_error', 1],
    ['pm_sandbox_timeoutBeforeCapture', 'timeout', 0],
  ])('%s goes wrong at the first call of a key only', async (reference, reason, captured) => {
    const request = freshRequest(reference);
    await expect(sandbox.charge(request)).rejects.toMatchObject({ name: 'GatewayUnavailable', reason });
    expect(await sandbox.capturesOf(request.metadata.invoiceId)).toHaveLength(captured);
    expect(await sandbox.charge(request)).toMatchObject({ kind: 'succeeded' });
    expect(await sandbox.capturesOf(request.metadata.invoiceId)).toHaveLength(1);
  });

  it('hits only what it is armed for, as often as it is armed', async () => {
    const request = freshRequest('pm_card_visa');
    await sandbox.arm('error_after_capture', { invoiceId: request.metadata.invoiceId }, 2);
    expect(await sandbox.charge(freshRequest('pm_card_visa'))).toMatchObject({ kind: 'succeeded' });
    await expect(sandbox.charge(request)).rejects.toMatchObject({ reason: 'server_error' });
    await expect(sandbox.charge(request)).rejects.toMatchObject({ reason: 'server_error' });
    expect(await sandbox.charge(request)).toMatchObject({ kind: 'succeeded' });
    expect(await sandbox.capturesOf(request.metadata.invoiceId)).toHaveLength(1);
  });

  it('hangs until the deadline of the caller', async () => {
    const request = freshRequest('pm_card_visa');
    await sandbox.arm('hang_after_capture', { idempotencyKey: request.idempotencyKey });
    await expect(sandbox.charge(request, { signal: AbortSignal.timeout(300) })).rejects.toMatchObject({ reason: 'timeout' });
    expect(await sandbox.lookUp(request.idempotencyKey, AT)).toMatchObject({ kind: 'succeeded' });
  });

  it('fails look-ups until it is disarmed', async () => {
    const request = freshRequest('pm_card_visa');
    await sandbox.charge(request);
    await sandbox.arm('look_up_down', { invoiceId: request.metadata.invoiceId }, 100);
    await expect(sandbox.lookUp(request.idempotencyKey, AT)).rejects.toBeInstanceOf(GatewayUnavailable);
    await sandbox.disarm({ invoiceId: request.metadata.invoiceId });
    expect(await sandbox.lookUp(request.idempotencyKey, AT)).toMatchObject({ kind: 'succeeded' });
  });

  it('cannot be reached where its database cannot', async () => {
    const away = openSandbox({ url: 'postgres://nobody:nobody@127.0.0.1:1/none' });
    await expect(away.charge(freshRequest('pm_card_visa'))).rejects.toMatchObject({ name: 'GatewayUnavailable', reason: 'connection' });
    await away.close();
  });
});

describe('webhooks', () => {
  it('come once in order, or twice and backwards, with ids by which a reader knows them', async () => {
    await sandbox.emitWebhooks({ at: AT });
    const eventsOf = async (options: { duplicate?: boolean; reorder?: boolean }) => {
      const request = freshRequest('pm_usBankAccount_success');
      await sandbox.charge(request);
      await sandbox.settle(request.idempotencyKey, AT + 60);
      const deliveries = await sandbox.emitWebhooks({ at: AT, ...options });
      return deliveries.map(({ body, signature }) => sandbox.parseWebhook(body, signature, AT));
    };
    expect((await eventsOf({})).map((event) => event.type)).toEqual(['charge.processing', 'charge.succeeded']);
    const messy = await eventsOf({ duplicate: true, reorder: true });
    expect(messy.map((event) => event.type)).toEqual(['charge.succeeded', 'charge.succeeded', 'charge.processing', 'charge.processing']);
    expect(new Set(messy.map((event) => event.id)).size).toBe(2);
    expect(await sandbox.emitWebhooks({ at: AT })).toEqual([]);
  });
});

describe('registry', () => {
  it('finds a gateway by name', () => {
    const registry = paymentGatewayRegistry([sandbox]);
    expect(paymentGateway(registry, 'sandbox')).toBe(sandbox);
    expect(() => paymentGateway(registry, 'constructor')).toThrow('knows no payment gateway named constructor; it has sandbox');
    expect(() => paymentGatewayRegistry([sandbox, sandbox])).toThrow('two payment gateways');
  });
});
