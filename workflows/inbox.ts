import { type ApplicationFailure, allHandlersFinished, CancellationScope, condition, sleep, workflowInfo } from '@temporalio/workflow';

export interface Letter<Order, Answer> {
  operationId: string;
  order: Order;
  answer: { value: Answer } | { failure: ApplicationFailure } | null;
}

/**
 * Where handlers leave commands for the loop, the only hand that acts. A command that arrives again while the first is waiting or
 * under way shares its letter, so both callers get the same answer.
 */
export class Inbox<Order, Answer> {
  private readonly waiting: Letter<Order, Answer>[] = [];
  private readonly unanswered = new Map<string, Letter<Order, Answer>>();
  private answeredAt = -1;

  post(operationId: string, order: Order): Letter<Order, Answer> {
    const known = this.unanswered.get(operationId);
    if (known !== undefined) return known;
    const letter: Letter<Order, Answer> = { operationId, order, answer: null };
    this.waiting.push(letter);
    this.unanswered.set(operationId, letter);
    return letter;
  }

  /**
   * Posts and waits for the loop, also where somebody has asked Temporal to cancel the workflow: a command that will be obeyed must be answered.
   * @throws ApplicationFailure, the only kind of error that fails an update and not the task
   */
  async ask(operationId: string, order: Order): Promise<Answer> {
    const letter = this.post(operationId, order);
    await CancellationScope.nonCancellable(() => condition(() => letter.answer !== null));
    if (letter.answer === null) throw new Error('unreachable: waited for an answer');
    if ('failure' in letter.answer) throw letter.answer.failure;
    return letter.answer.value;
  }

  take(): Letter<Order, Answer> | undefined {
    return this.waiting.shift();
  }

  answer(letter: Letter<Order, Answer>, answer: { value: Answer } | { failure: ApplicationFailure }): void {
    letter.answer = answer;
    this.unanswered.delete(letter.operationId);
    this.noteAnswer();
  }

  /** Some caller is being answered in this very task, see `fellSilent`. */
  noteAnswer(): void {
    this.answeredAt = workflowInfo().historyLength;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /**
   * Waits until a run may end: no letter, every handler returned. An answer given in the very task that ends the run can be lost on
   * its way to the caller, so after such an answer one more task passes. Returns false when a letter came meanwhile.
   */
  async fellSilent(): Promise<boolean> {
    await condition(() => allHandlersFinished() || !this.isEmpty);
    if (this.isEmpty && this.answeredAt === workflowInfo().historyLength) {
      await sleep(1, { summary: 'lets the last answer reach its caller' });
    }
    return this.isEmpty && allHandlersFinished();
  }
}
