import { withAccount } from '../db/client.ts';
import { Refusal } from '../domain/errors.ts';
import type { PauseSubscription, ReactivateSubscription, ResumeSubscription } from '../domain/subscription/commands.ts';
import type { RequestContext } from './context.ts';
import { inRestingTimeOf } from './customer-clock.ts';
import { tryPause, tryReactivation, tryResumption } from './dry-run.ts';
import { tryOrTell } from './remember-refusal.ts';
import type { subscriptionPause, subscriptionResume } from './schemas/subscriptions.ts';
import type { z } from './schemas/zod.ts';
import { commandOf, commandSubscription, isRepeat, reach, subscriptionOf } from './subscription-commands.ts';
import type { Pins } from './subscription-input.ts';

export async function pauseSubscription(given: RequestContext, id: string, pause: PauseSubscription): Promise<void> {
  const asked = { subscriptionId: id, verb: 'pause-subscription', parameters: pause } as const;
  await commandSubscription(given, asked, 'pause', {
    tryOut: async (t, context) => {
      await subscriptionOf(t, id);
      if (!(await isRepeat(context, t))) await tryPause(t, id, pause, { asOf: context.now() });
    },
    send: ({ commands }, command) => commands.pause(id, { ...command, ...pause }),
  });
}

export async function resumeSubscription(given: RequestContext, id: string, resumption: ResumeSubscription): Promise<void> {
  const asked = { subscriptionId: id, verb: 'resume-subscription', parameters: resumption } as const;
  await commandSubscription(given, asked, 'resume', {
    tryOut: async (t, context) => {
      await subscriptionOf(t, id);
      if (!(await isRepeat(context, t))) await tryResumption(t, id, resumption, { asOf: context.now() });
    },
    send: ({ commands }, command) => commands.resume(id, { ...command, ...resumption }),
  });
}

/** The workflow of a canceled subscription has closed. It is started again with the command, and decides and writes as ever: whatever dies in between, the same request finds it. */
export async function reactivateSubscription(given: RequestContext, id: string, reactivation: ReactivateSubscription): Promise<void> {
  const context = await inRestingTimeOf(given, { subscriptionId: id });
  const { testClock } = context;
  const asked = { subscriptionId: id, verb: 'reactivate-subscription', parameters: reactivation } as const;
  const { customerId, repeated, isDone } = await tryOrTell(context, asked, () =>
    withAccount(context.db, context.account.id, async (t) => {
      const subscription = await subscriptionOf(t, id);
      const repeated = await isRepeat(context, t);
      if (!repeated) await tryReactivation(t, id, reactivation, { asOf: context.now() });
      // Carried out before and canceled again since: that stands.
      return { customerId: subscription.customerId, repeated, isDone: repeated && subscription.status === 'canceled' };
    }),
  );
  if (isDone) return;
  context.log.info({ workflowId: id, operationId: context.operationId }, 'reactivate');
  const clock = testClock === undefined ? {} : { clock: { kind: 'frozen', id: testClock.id, at: testClock.frozenTime } as const };
  try {
    await reach(context, repeated ? id : asked, () =>
      context.commands.reactivate(
        { accountId: context.account.id, subscriptionId: id, customerId, ...clock },
        { ...commandOf(context), ...reactivation },
      ),
    );
  } catch (error) {
    // It lives, and this very command has brought it back.
    if (!repeated || !(error instanceof Refusal) || error.code !== 'transition_not_allowed') throw error;
  }
}

const pricedFrom = (prorationDate: number | undefined) => (prorationDate === undefined ? {} : { prorationDate });

type PauseInput = z.output<typeof subscriptionPause>;
type ResumeInput = z.output<typeof subscriptionResume>;

const anchorOf = (given: ResumeInput['billing_cycle_anchor']): PauseSubscription['resume']['billingCycleAnchor'] =>
  typeof given === 'object' ? given.type : (given ?? null);

/**
 * @param pins of the preview that it applies
 * @throws Refusal parameter_invalid about `billing_cycle_anchor`
 */
export function pauseFrom(
  params: Pick<PauseInput, 'billing_cycle_anchor' | 'effective_at' | 'proration_behavior' | 'resumes_at' | 'unused_time'>,
  pins: Pins = {},
): PauseSubscription {
  const billingCycleAnchor = anchorOf(params.billing_cycle_anchor);
  if (params.unused_time === 'extend' && billingCycleAnchor === 'unchanged') {
    throw new Refusal('parameter_invalid', 'A pause that extends its period moves the anchor.', 'billing_cycle_anchor');
  }
  return {
    at: params.effective_at,
    unusedTime: params.unused_time,
    resumesAt: params.resumes_at ?? null,
    resume: { billingCycleAnchor, prorationBehavior: params.proration_behavior },
    ...previewOf(pins),
  };
}

/** Of what a preview pins, what a command carries. */
export const previewOf = ({ preview }: Pins): Pick<Pins, 'preview'> => (preview === undefined ? {} : { preview });

/** @param pins of the preview that it applies */
export const resumptionFrom = (
  params: Pick<ResumeInput, 'billing_cycle_anchor' | 'proration_behavior' | 'proration_date'>,
  pins: Pins = {},
): ResumeSubscription => ({
  billingCycleAnchor: anchorOf(params.billing_cycle_anchor),
  prorationBehavior: params.proration_behavior,
  ...pricedFrom(params.proration_date ?? pins.prorationDate),
  ...previewOf(pins),
});
