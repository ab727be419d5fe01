import { withAccount } from '../db/client.ts';
import { digest } from '../db/digest.ts';
import { recordRefusal } from '../db/operations.ts';
import { findSubscription } from '../db/subscriptions.ts';
import { Refusal, type RefusalCode } from '../domain/errors.ts';
import { localDate } from '../domain/time.ts';
import type { Verb } from '../domain/timeline/verbs.ts';
import type { RequestContext } from './context.ts';

/** A command to a subscription, to an invoice or a schedule of it, as its activity would name it. */
export interface Asked {
  /** On whose timeline it is told; null, or of none that is there: on none. */
  subscriptionId: string | null;
  invoiceId?: string | null;
  verb: Verb;
  parameters: object;
}

/**
 * Tries a command out before it is sent; what is refused then is told on the subscription's timeline, as what its workflow refuses is. The same refusal of the same command
 * is kept once a day (UTC), whatever ids the request makes, so that a faulty client does not fill the page. Nothing is added to a command that is not refused.
 * @throws what `dryRun` throws
 */
export async function tryOrTell<R>(context: RequestContext, asked: Asked, dryRun: () => Promise<R>): Promise<R> {
  try {
    return await dryRun();
  } catch (error) {
    if (error instanceof Refusal) await remember(context, asked, error);
    throw error;
  }
}

/** What the validator of a workflow says, which can write nothing itself: the subscription has changed since the dry run. */
const OF_VALIDATORS: ReadonlySet<RefusalCode> = new Set(['transition_not_allowed', 'subscription_canceled', 'subscription_incomplete']);

/** Sends a command. What the workflow refuses without deciding is told on the timeline; where its decision refused it and has told so, that stays. @throws what `send` throws */
export async function sendOrTell(context: RequestContext, asked: Asked, send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (error instanceof Refusal && OF_VALIDATORS.has(error.code)) await remember(context, asked, error, context.operationId);
    throw error;
  }
}

async function remember(
  context: RequestContext,
  { subscriptionId, invoiceId = null, verb, parameters }: Asked,
  refusal: Refusal,
  sentAs?: string,
): Promise<void> {
  if (subscriptionId === null) return;
  const { preview, ...said } = parameters as { preview?: { asOf: number } };
  const asked = { ...said, ...(preview === undefined ? {} : { preview: { asOf: preview.asOf } }) };
  const asOf = context.now();
  const { actor } = context;
  const what = [subscriptionId, invoiceId, verb, asked, refusal.code, refusal.message, actor, localDate(asOf, 'UTC')];
  const once = digest(JSON.stringify(what, (_, value) => (typeof value === 'string' && context.isNew(value) ? '' : value)));
  const operation = {
    operationId: sentAs ?? `refused:${once}`,
    kind: verb,
    asOf,
    requestHash: once,
    subscriptionId,
    invoiceId,
    actor,
  };
  try {
    await withAccount(context.db, context.account.id, async (t) => {
      if ((await findSubscription(t, subscriptionId)) === null) return;
      await recordRefusal(t, { ...operation, paymentBehavior: null, parameters: Object.keys(asked).length === 0 ? null : asked }, refusal);
    });
  } catch (error) {
    // The refusal is what the caller needs to hear.
    context.log.warn({ err: error, subscriptionId }, 'a refusal is missing in the timeline');
  }
}
