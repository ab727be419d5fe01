import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, type WorkflowHandle, type WorkflowUpdateFailedError } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, vi } from 'vitest';
import type {
  CancelSubscription,
  ChangePlan,
  CreateSubscription,
  PauseSubscription,
  ScheduleCancellation,
} from '../../domain/subscription/commands.ts';
import type { Instant } from '../../domain/time.ts';
import type { subscription } from '../../workflows/index.ts';
import {
  type CommandResult,
  cancelUpdate,
  changePlanUpdate,
  dunningWorkflowId,
  type InvoiceCommand,
  invoiceCommandUpdate,
  invoiceWorkflowId,
  pauseUpdate,
  paymentMethodChangedSignal,
  reactivateUpdate,
  resumeUpdate,
  type SubscriptionInput,
  scheduleCancellationUpdate,
  stateQuery,
  subscribeUpdate,
  usageReportedSignal,
} from '../../workflows/messages.ts';
import type { ClockSetting, SubscriptionState } from '../../workflows/subscription/state.ts';
import { type Running, startWorker } from './environment.ts';
import { FakeBilling } from './fake-billing.ts';
import { keepSkipping } from './keep-skipping.ts';

/** What an invoice may be commanded, without who asks. */
type Deed = InvoiceCommand extends infer C ? (C extends InvoiceCommand ? Omit<C, 'operationId' | 'actor'> : never) : never;

/** Of an activity that no worker has taken, as the server numbers its states. */
const SCHEDULED = 1;

/** One subscription under test: its book, its worker, and the words to command it with. */
export class Life {
  readonly env: TestWorkflowEnvironment;
  readonly billing: FakeBilling;
  worker: Running;
  readonly id = `sub_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  readonly handle: WorkflowHandle<typeof subscription>;

  constructor(env: TestWorkflowEnvironment, billing: FakeBilling, worker: Running) {
    this.env = env;
    this.billing = billing;
    this.worker = worker;
    this.handle = env.client.workflow.getHandle<typeof subscription>(this.id);
  }

  async subscribe(
    command: Partial<CreateSubscription> & { price?: string; quantity?: string } = {},
    clock?: ClockSetting,
  ): Promise<CommandResult> {
    const { price = 'price_month_10', quantity = '1', ...given } = command;
    const create = {
      operationId: `create-${this.id}`,
      actor: 'test',
      subscriptionId: this.id,
      customerId: 'cus_1',
      currency: 'eur',
      items: [{ id: 'si_1', priceId: price, quantity, taxRateIds: [] }],
      paymentBehavior: 'allow_incomplete' as const,
      billingTimezone: null,
      defaultPaymentMethodId: null,
      defaultTaxRateIds: [],
      cancelAtPeriodEnd: false,
      cancelAt: null,
      ...given,
    };
    const input: SubscriptionInput = { start: { accountId: 'acct_1', command: create, ...(clock === undefined ? {} : { clock }) } };
    return this.env.client.workflow.executeUpdateWithStart(subscribeUpdate, {
      args: [{ operationId: create.operationId, actor: 'test' }],
      updateId: create.operationId,
      startWorkflowOperation: new WithStartWorkflowOperation<typeof subscription>('subscription', {
        workflowId: this.id,
        taskQueue: this.worker.taskQueue,
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [input],
      }),
    });
  }

  change(
    command: Partial<ChangePlan> & { price?: string; quantity?: string },
    operationId = `change-${randomUUID()}`,
  ): Promise<CommandResult> {
    return this.handle.executeUpdate(changePlanUpdate, { args: [change(command, operationId)], updateId: operationId });
  }

  cancel(command: Partial<CancelSubscription> = {}, operationId = `cancel-${this.id}`): Promise<CommandResult> {
    const args = { operationId, actor: 'test', prorate: false, invoiceNow: false, ...command };
    return this.handle.executeUpdate(cancelUpdate, { args: [args], updateId: operationId });
  }

  cancelAt(at: ScheduleCancellation['at'], operationId = `schedule-${randomUUID()}`): Promise<CommandResult> {
    return this.handle.executeUpdate(scheduleCancellationUpdate, { args: [{ operationId, actor: 'test', at }], updateId: operationId });
  }

  pause(command: Partial<PauseSubscription> = {}, operationId = `pause-${randomUUID()}`): Promise<CommandResult> {
    const resume = { billingCycleAnchor: null, prorationBehavior: 'create_prorations' as const };
    const args = { operationId, actor: 'test', at: 'now' as const, unusedTime: 'credit' as const, resumesAt: null, resume, ...command };
    return this.handle.executeUpdate(pauseUpdate, { args: [args], updateId: operationId });
  }

  resume(operationId = `resume-${randomUUID()}`): Promise<CommandResult> {
    const args = { operationId, actor: 'test', billingCycleAnchor: null, prorationBehavior: 'create_prorations' as const };
    return this.handle.executeUpdate(resumeUpdate, { args: [args], updateId: operationId });
  }

  /** As the API sends it: with the start of a workflow, as there may be none. */
  reactivate(operationId = `reactivate-${randomUUID()}`): Promise<CommandResult> {
    const input: SubscriptionInput = { restart: { accountId: 'acct_1', subscriptionId: this.id } };
    return this.env.client.workflow.executeUpdateWithStart(reactivateUpdate, {
      args: [{ operationId, actor: 'test' }],
      updateId: operationId,
      startWorkflowOperation: new WithStartWorkflowOperation<typeof subscription>('subscription', {
        workflowId: this.id,
        taskQueue: this.worker.taskQueue,
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        args: [input],
      }),
    });
  }

  invoice(invoiceId: string, command: Deed) {
    const operationId = `invoice-${randomUUID()}`;
    return this.env.client.workflow.executeUpdateWithStart(invoiceCommandUpdate, {
      args: [{ operationId, actor: 'test', ...command } as InvoiceCommand],
      updateId: operationId,
      startWorkflowOperation: new WithStartWorkflowOperation('invoice', {
        workflowId: invoiceWorkflowId(invoiceId),
        taskQueue: this.worker.taskQueue,
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [{ accountId: 'acct_1', invoiceId, subscriptionId: this.id, customerId: 'cus_1' }],
      }),
    });
  }

  newCard(paymentMethodId = 'pm_new'): Promise<void> {
    return this.handle.signal(paymentMethodChangedSignal, { paymentMethodId });
  }

  usageReported(): Promise<void> {
    return this.handle.signal(usageReportedSignal);
  }

  state(): Promise<SubscriptionState> {
    return this.handle.query(stateQuery);
  }

  get book() {
    const sub = this.billing.subs.get(this.id);
    if (sub === undefined) throw new Error('there is no such subscription in the book');
    return sub;
  }

  async status(): Promise<string> {
    return (await this.handle.describe()).status.name;
  }

  async attributes(workflowId = this.id): Promise<Record<string, unknown>> {
    const { typedSearchAttributes } = await this.env.client.workflow.getHandle(workflowId).describe();
    return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  }

  /** What the operator reads at the top of the workflow's page. */
  async details(workflowId = this.id): Promise<string> {
    const metadata = await this.env.client.workflow
      .getHandle(workflowId)
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    return metadata.currentDetails ?? '';
  }

  /** Lets time pass, and what falls due in it happen. */
  async pass(duration: Duration): Promise<void> {
    await this.env.sleep(duration);
    await this.quiet();
  }

  /** Waits until the subscription waits: no task under way that could still change the book. */
  async quiet(): Promise<void> {
    let before: number | null = null;
    for (;;) {
      const busy = await this.busy();
      const calls = this.billing.calls.length;
      if (!busy && calls === before) return;
      before = busy ? null : calls;
      for (const id of this.workflows()) await this.answered(id);
    }
  }

  /** The server holds this question back until the workflow's task under way is done. */
  private async answered(workflowId: string): Promise<void> {
    await this.env.client.workflow
      .getHandle(workflowId)
      .query('__temporal_workflow_metadata')
      .catch(() => undefined);
  }

  /** Whether an activity is under way, other than one that waits to be tried again. */
  private async busy(): Promise<boolean> {
    for (const id of this.workflows()) {
      const description = await this.env.client.workflow
        .getHandle(id)
        .describe()
        .catch(() => undefined);
      if (description?.raw.pendingActivities?.some(({ state, attempt }) => state !== SCHEDULED || attempt === 1)) return true;
    }
    return false;
  }

  private workflows(): string[] {
    return [this.id, ...this.billing.invoices.map(({ id }) => dunningWorkflowId(id))];
  }

  /**
   * Waits until the workflow has ended. To ask the client for its result would let the server skip time meanwhile, beyond the end and up to whatever comes next.
   */
  async ended(workflowId = this.id): Promise<void> {
    const { workflow } = this.env.client;
    await vi.waitFor(async () => expect((await workflow.getHandle(workflowId).describe()).status.name).toBe('COMPLETED'), {
      timeout: 30_000,
    });
  }

  async now(): Promise<Instant> {
    return Math.floor((await this.env.currentTimeMs()) / 1000);
  }

  /** A new worker on the queue of the one that was stopped. */
  async restart(): Promise<void> {
    this.worker = await startWorker(this.env, this.billing.activities, this.worker.taskQueue);
  }

  /** Ends what is left of it, so that the next life has the server to itself. */
  async end(): Promise<void> {
    // A workflow that is terminated in the middle of an activity leaves the test server's clock locked.
    await this.quiet();
    for (const id of [this.id, ...this.billing.invoices.flatMap((i) => [dunningWorkflowId(i.id), invoiceWorkflowId(i.id)])]) {
      await this.env.client.workflow
        .getHandle(id)
        .terminate()
        .catch(() => undefined);
    }
    await this.worker.stop();
  }
}

/** Runs `story` with a subscription of its own. */
export async function live(env: TestWorkflowEnvironment, story: (life: Life) => Promise<void>, billing = new FakeBilling()): Promise<void> {
  const life = new Life(env, billing, await startWorker(env, billing.activities));
  const stopWatching = keepSkipping(env, () => billing.invoices.map(({ id }) => dunningWorkflowId(id)));
  try {
    await story(life);
  } finally {
    await stopWatching();
    await life.end();
  }
}

export function change({ price, quantity, ...given }: Partial<ChangePlan> & { price?: string; quantity?: string }, operationId: string) {
  return {
    operationId,
    actor: 'test',
    prorationBehavior: 'always_invoice' as const,
    paymentBehavior: 'allow_incomplete' as const,
    items: [
      {
        do: 'update' as const,
        itemId: 'si_1',
        ...(price === undefined ? {} : { priceId: price }),
        ...(quantity === undefined ? {} : { quantity }),
      },
    ],
    ...given,
  };
}

/** The refusal code that a command was answered with. */
export async function refusalOf(answer: Promise<unknown>): Promise<string> {
  const error = await answer.then(
    () => expect.fail('was not refused'),
    (failed: WorkflowUpdateFailedError) => failed,
  );
  return (error.cause as { type?: string }).type ?? String(error);
}
