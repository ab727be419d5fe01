import { findQuote } from '../db/quotes.ts';
import { scheduleQuery } from '../db/schedule-query.ts';
import { findSchedule, findScheduleEdit } from '../db/schedules.ts';
import { Refusal } from '../domain/errors.ts';
import { withAcceptance } from '../domain/quote/accept-quote.ts';
import type { Quote } from '../domain/quote/quote.ts';
import { decideScheduleEdit } from '../domain/schedule/edit-schedule.ts';
import type { ScheduleEdit } from '../domain/schedule/schedule.ts';
import type { Deps } from './deps.ts';
import { scheduleOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Does to a schedule what is written down under the edit's id. @throws what `decideScheduleEdit` refuses */
export const editSchedule =
  (deps: Deps): Activities['editSchedule'] =>
  (input) => {
    const command = parametersOf(input);
    const { scheduleId, editId } = command;
    let edit: ScheduleEdit;
    let quote: Quote | null = null;
    return performOperation(deps, input, {
      verb: 'edit-schedule',
      parameters: command,
      query: async (t) => {
        const found = await findScheduleEdit(t, scheduleId, editId);
        if (found === null) throw new Refusal('resource_missing', `No such edit: '${editId}'`);
        edit = found;
        if (edit.do === 'create' && edit.quoteId !== undefined) quote = await findQuote(t, edit.quoteId, { lock: true });
        return { ...scheduleQuery(await findSchedule(t, scheduleId), edit), lock: true };
      },
      decide: (snapshot, context) => {
        const decision = decideScheduleEdit(snapshot, edit, context);
        return quote === null ? decision : withAcceptance(snapshot, quote, decision, context.asOf);
      },
      answer: scheduleOutcome,
    });
  };
