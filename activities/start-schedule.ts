import { scheduleQuery } from '../db/schedule-query.ts';
import { findSchedule } from '../db/schedules.ts';
import { Refusal } from '../domain/errors.ts';
import { decideStart } from '../domain/schedule/start-schedule.ts';
import type { Deps } from './deps.ts';
import { scheduleOutcome } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Creates the subscription of a schedule whose time has come, or cancels the schedule where that has become impossible; never refuses for that. */
export const startSchedule =
  (deps: Deps): Activities['startSchedule'] =>
  (input) => {
    const command = parametersOf(input);
    return performOperation(deps, input, {
      verb: 'start-schedule',
      parameters: command,
      query: async (t) => {
        const schedule = await findSchedule(t, command.scheduleId);
        if (schedule === null) throw new Refusal('resource_missing', `No such subscription schedule: '${command.scheduleId}'`, 'schedule');
        return { ...scheduleQuery(schedule, null), lock: true };
      },
      decide: decideStart,
      answer: scheduleOutcome,
    });
  };
