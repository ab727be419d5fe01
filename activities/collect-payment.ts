import { loadSnapshot } from '../db/billing-snapshot.ts';
import { withAccount } from '../db/client.ts';
import { emptyDecision } from '../domain/decision.ts';
import { Refusal } from '../domain/errors.ts';
import { decideAttemptCancellation } from '../domain/payments/cancel-attempt.ts';
import type { GatewayResult } from '../domain/payments/gateway-result.ts';
import type { PaymentAttempt } from '../domain/payments/payment.ts';
import { decideAttempt, isUnresolved } from '../domain/payments/start-attempt.ts';
import { GatewayUnavailable } from '../gateways/payment/payment-gateway.ts';
import { paymentGateway } from '../gateways/payment/registry.ts';
import { type Asking, type ChargeableAttempt, cancelAtGateway, chargeAttempt, lookUp } from './ask-gateway.ts';
import type { Deps } from './deps.ts';
import type { Activities, Envelope, PaymentResult } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';
import { decideNews, noPayment, paymentResult } from './record-payment.ts';

type Input = Envelope & { invoiceId: string; paymentMethodId: string | null };

/** What the first transaction granted. It is stored as the intent's result, so every retry goes on with the same attempt. */
type Intent =
  | { outcome: 'charge'; livemode: boolean; attempt: ChargeableAttempt }
  | { outcome: 'nothing_due' | 'no_payment_method'; result: PaymentResult };

/** Thrown out of the first transaction, which then writes nothing: this attempt must be settled before another may be made. */
class InTheWay extends Error {
  readonly attempt: PaymentAttempt;

  constructor(attempt: PaymentAttempt) {
    super(`the payment attempt ${attempt.id} is in the way`);
    this.attempt = attempt;
  }
}

/**
 * One attempt to collect an invoice: the intent is committed, then the gateway is asked, then the outcome is recorded. However often the activity is tried, and wherever it
 * died before, it goes on with the attempt that its operation began, under that attempt's key. An outcome that stays unknown is answered as such, for `resolvePayment` to find out.
 * Another operation's open attempt is looked up first, never sent again.
 * @throws Refusal payment_in_progress, invoice_already_paid, invoice_not_open, payment_method_detached
 */
export const collectPayment =
  (deps: Deps, options: { deadlineMs?: number } = {}): Activities['collectPayment'] =>
  async (input) => {
    const asking = (gateway: string): Asking => ({
      gateway: paymentGateway(deps.gateways, gateway),
      accountId: input.accountId,
      asOf: input.asOf,
      log: deps.log,
      ...options,
    });

    const { intent, isNew } = await begin(deps, input, asking);
    if ('paidBy' in intent) return record(deps, input, intent.paidBy, null);
    if (intent.outcome !== 'charge') return answer(deps, input, intent.result);

    const { attempt } = intent;
    // A crash point never fires for a live account, whatever the process was told.
    const reach: Deps['reach'] = intent.livemode ? () => {} : deps.reach;
    reach('collect-payment:intent-committed');
    const result = await outcomeOf(deps, input, asking(attempt.gateway), attempt, isNew);
    reach('collect-payment:gateway-called');
    return record(deps, input, attempt.id, result);
  };

type Begun = { intent: Intent | { paidBy: string }; isNew: boolean };

/** Commits the intent, after clearing away at most one open attempt that was in its way. */
async function begin(deps: Deps, input: Input, asking: (gateway: string) => Asking): Promise<Begun> {
  try {
    return await commitIntent(deps, input);
  } catch (error) {
    if (!(error instanceof InTheWay)) throw error;
    const { attempt } = error;
    if (await clear(deps, input, asking(attempt.gateway), attempt)) return { intent: { paidBy: attempt.id }, isNew: false };
  }
  try {
    return await commitIntent(deps, input);
  } catch (error) {
    throw error instanceof InTheWay ? new Refusal('payment_in_progress', 'A payment of this invoice is still being processed.') : error;
  }
}

async function commitIntent(deps: Deps, input: Input): Promise<{ intent: Intent; isNew: boolean }> {
  const command = parametersOf(input);
  let isNew = false;
  let started: ReturnType<typeof decideAttempt> | undefined;
  const intent = await performOperation<Intent>(
    deps,
    { ...input, operationId: `${input.operationId}:intent` },
    {
      verb: 'start-payment',
      parameters: command,
      query: {
        invoiceId: command.invoiceId,
        ...(command.paymentMethodId === null ? {} : { paymentMethodIds: [command.paymentMethodId] }),
        lock: true,
      },
      decide: (snapshot, context) => {
        const open = snapshot.attempts.find((attempt) => isUnresolved(attempt) || attempt.status === 'requires_action');
        if (open && snapshot.invoice?.status !== 'paid') throw new InTheWay(open);
        isNew = true;
        started = decideAttempt(snapshot, { paymentMethodId: command.paymentMethodId, operationId: input.operationId }, context);
        return started.decision;
      },
      answer: (snapshot, decision, numbers) => {
        const { attempt, outcome } = started as NonNullable<typeof started>;
        if (outcome !== 'charge') return { outcome, result: noPayment(outcome, snapshot, decision, numbers) };
        const method = snapshot.paymentMethods.find((candidate) => candidate.id === attempt?.paymentMethodId);
        if (!attempt || !method) throw new Error('an attempt to charge names no payment method of the snapshot');
        return { outcome, livemode: snapshot.account.livemode, attempt: chargeable(attempt, method.gatewayReference) };
      },
    },
  );
  return { intent, isNew };
}

/** An attempt with what is needed to send it. */
export const chargeable = (attempt: PaymentAttempt, paymentMethodReference: string): ChargeableAttempt => ({
  id: attempt.id,
  invoiceId: attempt.invoiceId,
  customerId: attempt.customerId,
  number: attempt.number,
  gateway: attempt.gateway,
  idempotencyKey: attempt.idempotencyKey,
  amount: attempt.amount,
  currency: attempt.currency,
  createdAt: attempt.createdAt,
  paymentMethodReference,
});

/** Asks the gateway, unless the attempt was settled since its intent was committed (by a look-up of another operation); then null. */
async function outcomeOf(
  deps: Deps,
  input: Input,
  asking: Asking,
  attempt: ChargeableAttempt,
  isNew: boolean,
): Promise<GatewayResult | null> {
  if (isNew) return chargeAttempt(asking, attempt, { sentBefore: false, wanted: true });
  const { invoice, attempts } = await withAccount(deps.db, input.accountId, (t) =>
    loadSnapshot(t, { invoiceId: input.invoiceId, lock: false }),
  );
  const current = attempts.find((candidate) => candidate.id === attempt.id);
  if (current && !isUnresolved(current)) return null;
  const wanted = invoice?.status === 'open' || invoice?.status === 'uncollectible';
  return chargeAttempt(asking, attempt, { sentBefore: true, wanted });
}

/**
 * Gets an open attempt out of the way: one that waits for the customer is taken back, any other is looked up, and the news is recorded. It is never sent again: that is for
 * the operation it belongs to. @returns whether it has paid the invoice meanwhile
 */
async function clear(deps: Deps, input: Input, asking: Asking, attempt: PaymentAttempt): Promise<boolean> {
  const waits = attempt.status === 'requires_action';
  let news: GatewayResult | null;
  try {
    news = waits ? await cancelAtGateway(asking, attempt) : await lookUp(asking, attempt);
  } catch (error) {
    if (error instanceof GatewayUnavailable) return false;
    throw error;
  }
  if (!waits && (news === null || news.kind === 'unknown')) return false;
  const canceled = waits && (news === null || news.kind === 'declined');
  const parameters = { invoiceId: input.invoiceId, attemptId: attempt.id };
  return performOperation(
    deps,
    { ...input, operationId: `${input.operationId}:clear:${attempt.id}:${canceled ? 'canceled' : news?.kind}` },
    {
      verb: 'clear-payment',
      parameters,
      query: { invoiceId: input.invoiceId, lock: true },
      decide: (snapshot, context) =>
        canceled || news === null
          ? decideAttemptCancellation(snapshot, { attemptId: attempt.id }, context)
          : decideNews(snapshot, attempt.id, news, context),
      answer: (snapshot, decision, numbers) => {
        const result = paymentResult(snapshot, decision, numbers, attempt.id);
        return result.outcome === 'paid' && result.invoice.status === 'paid';
      },
    },
  );
}

/** The second transaction: the outcome, and the operation's answer for ever. */
function record(deps: Deps, input: Input, attemptId: string, result: GatewayResult | null): Promise<PaymentResult> {
  const command = parametersOf(input);
  return performOperation(deps, input, {
    verb: 'collect-payment',
    parameters: command,
    query: { invoiceId: command.invoiceId, lock: true },
    decide: (snapshot, context) => (result ? decideNews(snapshot, attemptId, result, context) : emptyDecision()),
    answer: (snapshot, decision, numbers) => paymentResult(snapshot, decision, numbers, attemptId),
  });
}

/** Nothing was charged, and the intent's transaction has booked that already. */
function answer(deps: Deps, input: Input, result: PaymentResult): Promise<PaymentResult> {
  const command = parametersOf(input);
  return performOperation(deps, input, {
    verb: 'collect-payment',
    parameters: command,
    query: { invoiceId: command.invoiceId, lock: true },
    decide: emptyDecision,
    answer: () => result,
  });
}
