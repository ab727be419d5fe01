import { asyncLocalStorage } from '@temporalio/activity';
import { loadSnapshot, type SnapshotQuery } from '../db/billing-snapshot.ts';
import { type AccountTransaction, withAccount } from '../db/client.ts';
import { digest } from '../db/digest.ts';
import { findGeneration } from '../db/generations.ts';
import { findOperation, recordRefusal } from '../db/operations.ts';
import { OperationExists, recordDecision } from '../db/record-decision.ts';
import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Decision, IdSource, Operation } from '../domain/decision.ts';
import { Refusal, type RefusalCode } from '../domain/errors.ts';
import { decideAsPreviewed, type PreviewPins } from '../domain/subscription/keep-preview.ts';
import type { PaymentBehavior } from '../domain/subscription/subscription.ts';
import type { Instant } from '../domain/time.ts';
import type { Verb } from '../domain/timeline/verbs.ts';
import type { Deps } from './deps.ts';
import type { Envelope } from './index.ts';
import { operationIds, requestHash } from './operation-ids.ts';

/** One verb: what it reads, what it decides, what it answers. */
export interface OperationPlan<R> {
  /** As its file is named; kept with the operation and part of its hash. */
  verb: Verb;
  /** The command without its envelope. */
  parameters: {
    subscriptionId?: string;
    invoiceId?: string;
    paymentBehavior?: PaymentBehavior | undefined;
    preview?: PreviewPins;
    [name: string]: unknown;
  };
  /** How the money of the invoice it makes is to be asked for, where its parameters do not say. */
  paymentBehavior?(snapshot: BillingSnapshot): PaymentBehavior | undefined;
  /** What to load; a function where that must be looked up first. */
  query: SnapshotQuery | ((t: AccountTransaction) => Promise<SnapshotQuery>);
  decide(snapshot: BillingSnapshot, context: { asOf: Instant; newId: IdSource }): Decision;
  /** Whether a decision says that there is nothing to do, which then is not written down. Absent: all are. */
  isNothing?(decision: Decision): boolean;
  /** Whether a refusal says what the workflow has to do first, and so is not told on the timeline. Absent: none does. */
  isInterim?(refusal: Refusal): boolean;
  answer(snapshot: BillingSnapshot, decision: Decision, numbers: Record<string, string>): R;
}

/**
 * Load -> decide -> record, in one transaction. The customer's row is locked first and the operation looked up under that lock, so of two tries of one operation
 * (a retry while the first is still running) the second waits and then returns the first one's answer. A command that was previewed is decided as it was previewed.
 * @throws Refusal operation_conflict where the operation id was used for a different command; generation_superseded where the workflow that asks has been started anew
 * from the books since; and whatever the decision refuses.
 */
export async function performOperation<R>(deps: Deps, envelope: Envelope, plan: OperationPlan<R>): Promise<R> {
  const hash = requestHash(plan.verb, plan.parameters);
  const firstAnswer = async (t: AccountTransaction): Promise<{ result: R } | null> => {
    const done = await findOperation(t, envelope.operationId);
    if (!done) return null;
    if (done.requestHash !== hash) {
      throw new Refusal('operation_conflict', `The operation ${envelope.operationId} was already used for a different command.`);
    }
    return { result: done.result as R };
  };

  const parameters = askedFor(plan.parameters);
  const operation = (subscriptionId: string | null, paymentBehavior = plan.parameters.paymentBehavior, sharedBy?: string[]): Operation => ({
    operationId: envelope.operationId,
    kind: plan.verb,
    asOf: envelope.asOf,
    requestHash: hash,
    subscriptionId,
    invoiceId: plan.parameters.invoiceId ?? null,
    sharedBy,
    actor: envelope.actor,
    paymentBehavior: paymentBehavior ?? null,
    parameters,
    run: currentRun(),
  });
  let about: string | null = plan.parameters.subscriptionId ?? null;

  // A crash point never fires for a live account, whatever the process was told.
  let reach: Deps['reach'] = () => {};
  try {
    const result = await withAccount(deps.db, envelope.accountId, async (t) => {
      const query = typeof plan.query === 'function' ? await plan.query(t) : plan.query;
      // Sent together and run in this order, so the look-up happens under the lock and costs no trip of its own.
      const [snapshot, first, current] = await Promise.all([
        loadSnapshot(t, { ...query, asOf: plan.parameters.preview?.asOf ?? envelope.asOf }),
        firstAnswer(t),
        generationOf(t, envelope, query),
      ]);
      if (envelope.generation !== undefined && current !== null && envelope.generation < current) {
        throw new Refusal(
          'generation_superseded',
          `Generation ${current} of the workflow decides now; this one is ${envelope.generation}.`,
        );
      }
      if (!snapshot.account.livemode) reach = deps.reach;
      about ??= snapshot.subscription?.id ?? null;
      reach(`${plan.verb}:loaded`);
      if (first) return first.result;

      const context = { asOf: envelope.asOf, newId: operationIds(envelope.accountId, envelope.operationId), digest };
      const decision = asNextRevision(snapshot, decideAsPreviewed(plan.parameters.preview, snapshot, context, plan.decide));
      reach(`${plan.verb}:decided`);
      if (plan.isNothing?.(decision)) return plan.answer(snapshot, decision, {});
      const recorded = await recordDecision(
        t,
        operation(
          plan.parameters.subscriptionId ?? decision.subscription?.id ?? snapshot.subscription?.id ?? null,
          plan.paymentBehavior?.(snapshot),
          snapshot.invoice?.subscriptionIds,
        ),
        decision,
        (numbers) => plan.answer(snapshot, decision, numbers),
      );
      reach(`${plan.verb}:recorded`);
      return recorded as R;
    });
    reach(`${plan.verb}:committed`);
    return result;
  } catch (error) {
    if (error instanceof Refusal && about !== null && !OF_THE_SENDER.has(error.code) && plan.isInterim?.(error) !== true) {
      await rememberRefusal(deps, { ...operation(about), subscriptionId: about }, envelope.accountId, error);
    }
    // Two commands under one id about different customers do not share a lock; the unique index is what decides then.
    if (!(error instanceof OperationExists)) throw error;
    const first = await withAccount(deps.db, envelope.accountId, firstAnswer);
    if (!first) throw error;
    return first.result;
  }
}

/** What is answered says which revision the decision makes. */
function asNextRevision({ subscription: before }: BillingSnapshot, decision: Decision): Decision {
  const { subscription: after, others } = decision;
  return {
    ...decision,
    subscription: after && { ...after, revision: (before?.id === after.id ? before.revision : 0) + 1 },
    ...(others
      ? {
          others: others.map((other) => ({ ...other, subscription: { ...other.subscription, revision: other.subscription.revision + 1 } })),
        }
      : {}),
  };
}

/** Read behind the customer's lock, so that whoever starts a workflow anew under that lock is seen by every decision after it. */
const generationOf = (t: AccountTransaction, { generation }: Envelope, query: SnapshotQuery): Promise<number | null> =>
  generation === undefined ? Promise.resolve(null) : findGeneration(t, query);

/** Refusals of whoever sends, not of what is asked for. */
const OF_THE_SENDER: ReadonlySet<RefusalCode> = new Set(['operation_conflict', 'generation_superseded']);

/** Its transaction wrote nothing, so that a command was refused would be seen by nobody but its sender. */
async function rememberRefusal(
  deps: Deps,
  operation: Operation & { subscriptionId: string },
  accountId: string,
  refusal: Refusal,
): Promise<void> {
  try {
    await withAccount(deps.db, accountId, (t) => recordRefusal(t, operation, refusal));
  } catch (error) {
    // The refusal is what the caller needs to hear.
    deps.log.warn({ operationId: operation.operationId, error }, 'a refusal is missing in the timeline');
  }
}

/** The run of the workflow that this activity is a part of; null where it was called by hand. */
function currentRun(): NonNullable<Operation['run']> | null {
  const execution = asyncLocalStorage.getStore()?.info.workflowExecution;
  return execution ? { workflowId: execution.workflowId, runId: execution.runId } : null;
}

/** What a command says beyond what it is about; null where that is nothing. Of a preview: when it was made. */
function askedFor({
  subscriptionId: _,
  invoiceId: __,
  preview,
  ...said
}: OperationPlan<unknown>['parameters']): Record<string, unknown> | null {
  const asked = { ...said, ...(preview === undefined ? {} : { preview: { asOf: preview.asOf } }) };
  return Object.keys(asked).length === 0 ? null : asked;
}

/** The command without who and when. */
export function parametersOf<T extends Envelope>(input: T): Omit<T, keyof Envelope> {
  const { accountId: _account, operationId: _operation, asOf: _asOf, actor: _actor, generation: _generation, ...parameters } = input;
  return parameters;
}
