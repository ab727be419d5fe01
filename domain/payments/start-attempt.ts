import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import { beginDecision, type DecisionContext, emit, finishDecision, putInvoice } from '../invoicing/draft-decision.ts';
import type { PaymentAttempt, PaymentMethod } from './payment.ts';
import { missPayment } from './settle-attempt.ts';

export interface StartedAttempt {
  decision: Decision;
  attempt: PaymentAttempt | null;
  outcome: 'charge' | 'nothing_due' | 'no_payment_method';
}

/** Attempts the gateway has not answered for good; one of them blocks every other of its invoice. */
export const isUnresolved = (attempt: Pick<PaymentAttempt, 'status'>): boolean =>
  attempt.status === 'created' || attempt.status === 'processing' || attempt.status === 'unknown';

/**
 * Grants the right to charge an invoice once: the attempt to be committed before the gateway is called. Its idempotency key follows from invoice and number, and the number rises
 * only after a definitive outcome, so no retry can make a second charge. Without a payment method nothing is charged, and that counts as a failed payment.
 * An invoice of a credit top-up is charged to the method of that. `paymentMethodId` overrides the order of the snapshot's payment methods.
 * @throws Refusal payment_in_progress, invoice_already_paid, invoice_not_open, payment_method_detached
 */
export function decideAttempt(
  snapshot: BillingSnapshot,
  command: { paymentMethodId: string | null; operationId: string },
  context: DecisionContext,
): StartedAttempt {
  const { invoice, attempts } = snapshot;
  if (!invoice) throw new Refusal('resource_missing', 'There is no invoice to pay.', 'invoice');
  if (invoice.status === 'paid') throw new Refusal('invoice_already_paid', 'Invoice is already paid');
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw new Refusal('invoice_not_open', `This invoice is ${invoice.status}; only an open invoice can be paid.`);
  }
  if (attempts.some(isUnresolved)) throw new Refusal('payment_in_progress', 'A payment of this invoice is still being processed.');
  if (invoice.amountRemaining === 0) return { decision: emptyDecision(), attempt: null, outcome: 'nothing_due' };

  const draft = beginDecision(snapshot, context);
  const method = chooseMethod(snapshot.paymentMethods, command.paymentMethodId ?? topUpMethod(snapshot));
  if (!method) {
    missPayment(draft, invoice);
    return { decision: finishDecision(draft), attempt: null, outcome: 'no_payment_method' };
  }
  const number = Math.max(0, ...attempts.map((attempt) => attempt.number)) + 1;
  const attempt: PaymentAttempt = {
    id: context.newId(ID_PREFIX.paymentAttempt),
    invoiceId: invoice.id,
    customerId: invoice.customerId,
    number,
    operationId: command.operationId,
    gateway: method.gateway,
    paymentMethodId: method.id,
    idempotencyKey: `${invoice.id}:attempt-${number}`,
    gatewayReference: null,
    amount: invoice.amountRemaining,
    currency: invoice.currency,
    status: 'created',
    declineCode: null,
    declineMessage: null,
    createdAt: context.asOf,
    resolvedAt: null,
  };
  draft.decision.attempt = attempt;
  if (!invoice.attempted) {
    putInvoice(draft, { ...invoice, attempted: true });
    emit(draft, 'invoice.updated', 'invoice', invoice.id, { attempted: false });
  }
  return { decision: finishDecision(draft), attempt, outcome: 'charge' };
}

/** Of the top-up that the invoice is for, while it is attached. */
function topUpMethod({ invoice, topUps = [], paymentMethods, customer }: BillingSnapshot): string | null {
  const wanted = topUps.find(({ pendingInvoiceId }) => pendingInvoiceId === invoice?.id)?.paymentMethodId;
  return paymentMethods.find(({ id, customerId }) => id === wanted && customerId === customer.id)?.id ?? null;
}

function chooseMethod(methods: PaymentMethod[], wanted: string | null): PaymentMethod | undefined {
  const method = wanted === null ? methods[0] : methods.find((candidate) => candidate.id === wanted);
  if (wanted !== null && method?.customerId == null) {
    throw new Refusal('payment_method_detached', `The payment method ${wanted} is not attached to the customer.`, 'payment_method');
  }
  return method;
}
