import {
  type Client,
  isGrpcDeadlineError,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  defineSearchAttributeKey,
  type SignalDefinition,
  TypedSearchAttributes,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { isRefusalCode, Refusal } from '../domain/errors.ts';
import type {
  CancelSubscription,
  ChangePlan,
  CreateSubscription,
  PauseSubscription,
  ReactivateSubscription,
  ResumeSubscription,
  ScheduleCancellation,
} from '../domain/subscription/commands.ts';
import type { Instant } from '../domain/time.ts';
import {
  type AwaitSchedule,
  type Command,
  type CommandResult,
  cancelScheduledChangeUpdate,
  cancelUpdate,
  changePlanUpdate,
  type EditSchedule,
  editScheduleUpdate,
  type InvoiceCommand,
  invoiceCommandUpdate,
  invoiceWorkflowId,
  type JoinClock,
  joinClockSignal,
  type PaymentMethodChanged,
  pauseUpdate,
  paymentMethodChangedSignal,
  priceMigrationAskedSignal,
  priceMigrationWorkflowId,
  quoteChangedSignal,
  quoteWorkflowId,
  type RestartSubscription,
  reactivateUpdate,
  resumeUpdate,
  type StartInvoice,
  type StartPriceMigration,
  type StartQuote,
  type StartSubscription,
  type StartTestClock,
  scheduleCancellationUpdate,
  subscribeUpdate,
  testClockWorkflowId,
  UNAVAILABLE,
  usageReportedSignal,
  WORKFLOW_TYPES,
} from '../workflows/messages.ts';
import type { ClockSetting } from '../workflows/subscription/state.ts';
import { ApiError, noAnswerInTime } from './errors.ts';
import type { Metrics } from './metrics.ts';

type InvoiceCommandResult = { invoice: CommandResult['invoice']; payment: CommandResult['payment'] };

/** A command whose workflow has ended or never was: Postgres knows what to answer. */
export class WorkflowGone extends Error {
  constructor(workflowId: string) {
    super(`no running workflow ${workflowId}`);
    this.name = 'WorkflowGone';
  }
}

/**
 * The commands of the API to workflows. Every call has a deadline; all throw `Refusal` for what the workflow refuses, `ApiError` 503 when no
 * worker answered in time (the command may still apply), `WorkflowGone` when there is no run to ask.
 */
export interface Commands {
  /** `frozen`: the test clock the customer is on. */
  subscribe(accountId: string, command: Command & CreateSubscription, frozen?: { id: string; at: Instant }): Promise<CommandResult>;
  changePlan(subscriptionId: string, command: Command & ChangePlan): Promise<CommandResult>;
  cancel(subscriptionId: string, command: Command & CancelSubscription): Promise<CommandResult>;
  scheduleCancellation(subscriptionId: string, command: Command & ScheduleCancellation): Promise<CommandResult>;
  pause(subscriptionId: string, command: Command & PauseSubscription): Promise<CommandResult>;
  resume(subscriptionId: string, command: Command & ResumeSubscription): Promise<CommandResult>;
  /** Starts the workflow of a canceled subscription again; one that is still closing, or was reactivated by somebody else, is asked as it is. */
  reactivate(restart: RestartSubscription & { customerId: string }, command: Command & ReactivateSubscription): Promise<CommandResult>;
  cancelScheduledChange(subscriptionId: string, command: Command & { changeId: string }): Promise<CommandResult>;
  /** Starts the workflow of a subscription that a schedule will create; its first command makes the schedule. */
  openSchedule(wait: AwaitSchedule, command: Command & EditSchedule): Promise<unknown>;
  editSchedule(subscriptionId: string, command: Command & EditSchedule): Promise<unknown>;
  /** Lets a workflow wait for a quote to expire; one that does already looks again. */
  awaitQuote(start: StartQuote): Promise<void>;
  /** Tells that workflow to look again; nothing where there is none. */
  quoteChanged(quoteId: string): Promise<void>;
  commandInvoice(start: StartInvoice, command: InvoiceCommand): Promise<InvoiceCommandResult>;
  /** Tells a subscription that its customer can pay now; a fact, not waited for beyond its delivery. */
  paymentMethodChanged(subscriptionId: string, news: PaymentMethodChanged): Promise<void>;
  /** Tells a subscription that something was used; a fact, not waited for beyond its delivery. */
  usageReported(subscriptionId: string): Promise<void>;
  /** Tells a subscription that its customer's time is a test clock's from now on; a fact, not waited for beyond its delivery. */
  joinClock(workflowId: string, clock: JoinClock): Promise<void>;
  /** Starts an advance of a test clock; one that is under way goes on as it is. */
  advanceClock(start: StartTestClock): Promise<void>;
  /** Sees to it that a price migration goes on, or back, as Postgres says. */
  migratePrice(start: StartPriceMigration): Promise<void>;
  /** @throws when Temporal does not answer */
  ready(): Promise<void>;
}

export interface CommandSettings {
  taskQueue: string;
  deadlineMs: number;
}

const ACCOUNT_ID = defineSearchAttributeKey('AccountId', 'KEYWORD');
const TEST_CLOCK_ID = defineSearchAttributeKey('TestClockId', 'KEYWORD');
const CUSTOMER_ID = defineSearchAttributeKey('CustomerId', 'KEYWORD');

export function temporalCommands(client: Client, settings: CommandSettings, metrics?: Metrics): Commands {
  const { taskQueue, deadlineMs } = settings;

  /** Sends once, and once more where the run completed between accepting and answering: the operation id makes the second one find the first. */
  const send = async <R>(name: string, workflowId: string, call: () => Promise<R>): Promise<R> => {
    const deadline = Date.now() + deadlineMs;
    const count = (outcome: string): void => metrics?.commands.inc({ command: name, outcome });
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await client.withDeadline(deadline, call);
        count('answered');
        return result;
      } catch (error) {
        if (attempt < 5 && completedWhileAnswering(error)) continue;
        const told = tell(error, workflowId);
        count(told instanceof Refusal ? 'refused' : told instanceof ApiError ? 'unanswered' : 'failed');
        throw told;
      }
    }
  };

  /** Sees to it that a workflow, which may run or have ended, looks at what stands in Postgres. */
  const wake = async <S extends { accountId: string; clock?: ClockSetting }>(
    name: string,
    start: S,
    { type, ...target }: { type: string; workflowId: string; signal: SignalDefinition<[]>; staticSummary: string },
  ): Promise<void> => {
    const { accountId, clock } = start;
    await send(name, target.workflowId, () =>
      client.workflow.signalWithStart<(start: S) => Promise<void>, []>(type, {
        ...target,
        taskQueue,
        args: [start],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        typedSearchAttributes: new TypedSearchAttributes([
          { key: ACCOUNT_ID, value: accountId },
          ...(clock?.kind === 'frozen' ? [{ key: TEST_CLOCK_ID, value: clock.id }] : []),
        ]),
      }),
    );
  };

  return {
    subscribe: (accountId, command, frozen) =>
      send('subscribe', command.subscriptionId, () =>
        client.workflow.executeUpdateWithStart(subscribeUpdate, {
          args: [{ operationId: command.operationId, actor: command.actor }],
          updateId: command.operationId,
          startWorkflowOperation: new WithStartWorkflowOperation<(input: { start: StartSubscription }) => Promise<void>>(
            WORKFLOW_TYPES.subscription,
            {
              workflowId: command.subscriptionId,
              taskQueue,
              args: [{ start: { accountId, command, ...(frozen === undefined ? {} : { clock: { kind: 'frozen', ...frozen } }) } }],
              workflowIdConflictPolicy: 'USE_EXISTING',
              workflowIdReusePolicy: 'REJECT_DUPLICATE',
              typedSearchAttributes: new TypedSearchAttributes([
                { key: ACCOUNT_ID, value: accountId },
                { key: CUSTOMER_ID, value: command.customerId },
                ...(frozen === undefined ? [] : [{ key: TEST_CLOCK_ID, value: frozen.id }]),
              ]),
              staticSummary: `Subscription of ${command.customerId}`,
            },
          ),
        }),
      ),
    changePlan: (subscriptionId, command) =>
      send('changePlan', subscriptionId, () =>
        client.workflow.getHandle(subscriptionId).executeUpdate(changePlanUpdate, { args: [command], updateId: command.operationId }),
      ),
    cancel: (subscriptionId, command) =>
      send('cancel', subscriptionId, () =>
        client.workflow.getHandle(subscriptionId).executeUpdate(cancelUpdate, { args: [command], updateId: command.operationId }),
      ),
    scheduleCancellation: (subscriptionId, command) =>
      send('scheduleCancellation', subscriptionId, () =>
        client.workflow
          .getHandle(subscriptionId)
          .executeUpdate(scheduleCancellationUpdate, { args: [command], updateId: command.operationId }),
      ),
    pause: (subscriptionId, command) =>
      send('pause', subscriptionId, () =>
        client.workflow.getHandle(subscriptionId).executeUpdate(pauseUpdate, { args: [command], updateId: command.operationId }),
      ),
    resume: (subscriptionId, command) =>
      send('resume', subscriptionId, () =>
        client.workflow.getHandle(subscriptionId).executeUpdate(resumeUpdate, { args: [command], updateId: command.operationId }),
      ),
    reactivate: ({ customerId, ...restart }, command) =>
      send('reactivate', restart.subscriptionId, () =>
        client.workflow.executeUpdateWithStart(reactivateUpdate, {
          args: [command],
          updateId: command.operationId,
          startWorkflowOperation: new WithStartWorkflowOperation<(input: { restart: RestartSubscription }) => Promise<void>>(
            WORKFLOW_TYPES.subscription,
            {
              workflowId: restart.subscriptionId,
              taskQueue,
              args: [{ restart }],
              workflowIdConflictPolicy: 'USE_EXISTING',
              workflowIdReusePolicy: 'ALLOW_DUPLICATE',
              typedSearchAttributes: new TypedSearchAttributes([
                { key: ACCOUNT_ID, value: restart.accountId },
                { key: CUSTOMER_ID, value: customerId },
                ...(restart.clock?.kind === 'frozen' ? [{ key: TEST_CLOCK_ID, value: restart.clock.id }] : []),
              ]),
              staticSummary: `Subscription of ${customerId}`,
            },
          ),
        }),
      ),
    cancelScheduledChange: (subscriptionId, command) =>
      send('cancelScheduledChange', subscriptionId, () =>
        client.workflow
          .getHandle(subscriptionId)
          .executeUpdate(cancelScheduledChangeUpdate, { args: [command], updateId: command.operationId }),
      ),
    openSchedule: (wait, command) =>
      send('openSchedule', wait.subscriptionId, () =>
        client.workflow.executeUpdateWithStart(editScheduleUpdate, {
          args: [command],
          updateId: command.operationId,
          startWorkflowOperation: new WithStartWorkflowOperation<(input: { wait: AwaitSchedule }) => Promise<void>>(
            WORKFLOW_TYPES.subscription,
            {
              workflowId: wait.subscriptionId,
              taskQueue,
              args: [{ wait }],
              workflowIdConflictPolicy: 'USE_EXISTING',
              workflowIdReusePolicy: 'REJECT_DUPLICATE',
              typedSearchAttributes: new TypedSearchAttributes([
                { key: ACCOUNT_ID, value: wait.accountId },
                { key: CUSTOMER_ID, value: wait.customerId },
                ...(wait.clock?.kind === 'frozen' ? [{ key: TEST_CLOCK_ID, value: wait.clock.id }] : []),
              ]),
              staticSummary: `Subscription of ${wait.customerId}, by ${command.scheduleId}`,
            },
          ),
        }),
      ),
    editSchedule: (subscriptionId, command) =>
      send('editSchedule', subscriptionId, () =>
        client.workflow.getHandle(subscriptionId).executeUpdate(editScheduleUpdate, { args: [command], updateId: command.operationId }),
      ),
    awaitQuote: (start) =>
      wake('awaitQuote', start, {
        type: WORKFLOW_TYPES.quote,
        workflowId: quoteWorkflowId(start.quoteId),
        signal: quoteChangedSignal,
        staticSummary: `Waits for ${start.quoteId} to expire`,
      }),
    quoteChanged: async (quoteId) => {
      try {
        await send('quoteChanged', quoteWorkflowId(quoteId), () =>
          client.workflow.getHandle(quoteWorkflowId(quoteId)).signal(quoteChangedSignal),
        );
      } catch (error) {
        // It has expired, or was settled before.
        if (!(error instanceof WorkflowGone)) throw error;
      }
    },
    commandInvoice: (start, command) =>
      send(`invoice.${command.do}`, invoiceWorkflowId(start.invoiceId), () =>
        client.workflow.executeUpdateWithStart(invoiceCommandUpdate, {
          args: [command],
          updateId: command.operationId,
          startWorkflowOperation: new WithStartWorkflowOperation<(start: StartInvoice) => Promise<void>>(WORKFLOW_TYPES.invoice, {
            workflowId: invoiceWorkflowId(start.invoiceId),
            taskQueue,
            args: [start],
            workflowIdConflictPolicy: 'USE_EXISTING',
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
            typedSearchAttributes: new TypedSearchAttributes([{ key: ACCOUNT_ID, value: start.accountId }]),
            staticSummary: `Commands to ${start.invoiceId}`,
          }),
        }),
      ),
    paymentMethodChanged: async (subscriptionId, news) => {
      try {
        await send('paymentMethodChanged', subscriptionId, () =>
          client.workflow.getHandle(subscriptionId).signal(paymentMethodChangedSignal, news),
        );
      } catch (error) {
        // It has ended since it was read: nothing there to try again.
        if (!(error instanceof WorkflowGone)) throw error;
      }
    },
    usageReported: async (subscriptionId) => {
      try {
        await send('usageReported', subscriptionId, () => client.workflow.getHandle(subscriptionId).signal(usageReportedSignal));
      } catch (error) {
        // It has ended since it was read, and bills nothing more.
        if (!(error instanceof WorkflowGone)) throw error;
      }
    },
    joinClock: async (workflowId, clock) => {
      try {
        await send('joinClock', workflowId, () => client.workflow.getHandle(workflowId).signal(joinClockSignal, clock));
      } catch (error) {
        // It has ended since it was read, and has no time to live in.
        if (!(error instanceof WorkflowGone)) throw error;
      }
    },
    advanceClock: async (start) => {
      const workflowId = testClockWorkflowId(start.clockId, start.to);
      await send('advanceClock', workflowId, () =>
        client.workflow.start<(start: StartTestClock) => Promise<void>>(WORKFLOW_TYPES.testClock, {
          workflowId,
          taskQueue,
          args: [start],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          typedSearchAttributes: new TypedSearchAttributes([
            { key: ACCOUNT_ID, value: start.accountId },
            { key: TEST_CLOCK_ID, value: start.clockId },
          ]),
          staticSummary: `Advances ${start.clockId}`,
        }),
      );
    },
    migratePrice: (start) =>
      wake('migratePrice', start, {
        type: WORKFLOW_TYPES.priceMigration,
        workflowId: priceMigrationWorkflowId(start.migrationId),
        signal: priceMigrationAskedSignal,
        staticSummary: `Price migration ${start.migrationId}`,
      }),
    ready: async () => {
      await client.withDeadline(Date.now() + 2_000, () => client.workflowService.getSystemInfo({}));
    },
  };
}

const causes = (error: unknown): unknown[] => (error instanceof Error ? [error, ...causes(error.cause)] : []);

/** The server's word for an update that a run accepted and then, completing, did not answer. */
const completedWhileAnswering = (error: unknown): boolean =>
  causes(error).some((cause) => cause instanceof ApplicationFailure && cause.type === 'AcceptedUpdateCompletedWorkflow');

function tell(error: unknown, workflowId: string): unknown {
  if (error instanceof WorkflowUpdateFailedError) {
    const failure = causes(error).find(
      (cause) => cause instanceof ApplicationFailure && (isRefusalCode(cause.type) || cause.type === UNAVAILABLE),
    );
    if (failure instanceof ApplicationFailure) return isRefusalCode(failure.type) ? refusalOf(failure) : noAnswerInTime();
    if (completedWhileAnswering(error)) return noAnswerInTime();
    return error;
  }
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) return new WorkflowGone(workflowId);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcDeadlineError(error)) return noAnswerInTime();
  // UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED: the server could not take it now; FAILED_PRECONDITION: nor while the workflow's last task failed.
  const grpc = causes(error).find((cause) => isGrpcServiceError(cause));
  return isGrpcServiceError(grpc) && [14, 8, 10, 9].includes(grpc.code) ? noAnswerInTime() : error;
}

/** A refusal that crossed Temporal; a declined payment brings its decline code along. */
function refusalOf(failure: ApplicationFailure): Refusal | ApiError {
  const detail = (failure.details?.[0] ?? {}) as { param?: unknown; declineCode?: unknown };
  if (failure.type === 'payment_failed') {
    const declineCode = typeof detail.declineCode === 'string' ? detail.declineCode : undefined;
    return new ApiError(failure.message, { status: 402, type: 'card_error', code: 'card_declined', declineCode });
  }
  const code = isRefusalCode(failure.type) ? failure.type : 'parameter_invalid';
  return new Refusal(code, failure.message, typeof detail.param === 'string' ? detail.param : undefined);
}
