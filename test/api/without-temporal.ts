import { cancelSubscription } from '../../activities/cancel-subscription.ts';
import { changePlan } from '../../activities/change-plan.ts';
import { collectPayment } from '../../activities/collect-payment.ts';
import { createSubscription } from '../../activities/create-subscription.ts';
import type { Deps } from '../../activities/deps.ts';
import type { BillingOutcome, Envelope } from '../../activities/index.ts';
import { issueInvoice } from '../../activities/issue-invoice.ts';
import { pauseSubscription } from '../../activities/pause-subscription.ts';
import { reactivateSubscription } from '../../activities/reactivate-subscription.ts';
import { resumeSubscription } from '../../activities/resume-subscription.ts';
import { scheduleCancellation } from '../../activities/schedule-cancellation.ts';
import type { PaymentGateway } from '../../gateways/payment/payment-gateway.ts';
import type { CommandResult } from '../../workflows/messages.ts';
import type { Api } from './harness.ts';

export interface Deciding {
  /** Bills the period that begins now, and collects it. */
  renew(subscriptionId: string): Promise<void>;
}

/** Workflows without Temporal: the activity that decides, at the API's own time, and every charge succeeds. */
export function withoutTemporal(api: Api, now: () => number): Deciding {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const willing = {
    name: 'sandbox',
    capabilities: { idempotencyWindowSeconds: null, canLookUp: true },
    charge: async ({ idempotencyKey }) => ({ kind: 'succeeded', reference: idempotencyKey, declineCode: null, message: null }),
  } as Partial<PaymentGateway> as PaymentGateway;
  const deps: Deps = { db: api.db, log, gateways: { sandbox: willing }, taxCalculators: {}, reach: () => {} };
  const at = (command: { operationId: string; actor: string }): Envelope => ({
    accountId: 'acct_1',
    operationId: command.operationId,
    actor: command.actor,
    asOf: now(),
  });
  const answer = async (outcome: BillingOutcome, collect = true): Promise<CommandResult> => {
    const { invoice } = outcome;
    if (invoice?.next !== 'collect' || !collect) return { ...outcome, payment: null };
    const envelope = at({ operationId: `pay_${invoice.id}`, actor: 'test' });
    return { ...outcome, payment: await collectPayment(deps)({ ...envelope, invoiceId: invoice.id, paymentMethodId: null }) };
  };
  const bare = <C extends { operationId: string; actor: string }>({ operationId: _, actor: __, ...command }: C) => command;
  api.commands.subscribe.mockImplementation(async (_, command) =>
    answer(await createSubscription(deps)({ ...at(command), ...bare(command) } as never), command.paymentBehavior !== 'default_incomplete'),
  );
  api.commands.changePlan.mockImplementation(async (subscriptionId, command) =>
    answer(await changePlan(deps)({ ...at(command), subscriptionId, ...bare(command) } as never)),
  );
  api.commands.cancel.mockImplementation(async (subscriptionId, command) =>
    answer(await cancelSubscription(deps)({ ...at(command), subscriptionId, ...bare(command) } as never)),
  );
  api.commands.pause.mockImplementation(async (subscriptionId, command) =>
    answer(await pauseSubscription(deps)({ ...at(command), subscriptionId, ...bare(command) } as never)),
  );
  api.commands.resume.mockImplementation(async (subscriptionId, command) =>
    answer(await resumeSubscription(deps)({ ...at(command), subscriptionId, ...bare(command) } as never)),
  );
  api.commands.reactivate.mockImplementation(async ({ subscriptionId }, command) =>
    answer(await reactivateSubscription(deps)({ ...at(command), subscriptionId, ...bare(command) } as never)),
  );
  api.commands.scheduleCancellation.mockImplementation(async (subscriptionId, command) =>
    answer(await scheduleCancellation(deps)({ ...at(command), subscriptionId, ...bare(command) } as never)),
  );
  return {
    renew: async (subscriptionId) => {
      const envelope = at({ operationId: `renew_${subscriptionId}_${now()}`, actor: 'workflow' });
      await answer(await issueInvoice(deps)({ ...envelope, subscriptionId }));
    },
  };
}
