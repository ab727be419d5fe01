import { parseArgs } from 'node:util';
import { runMain, SetupError } from '../config/setup-error.ts';
import { showTool } from './run-tool.ts';

/** A kill is mostly waiting for the timeout of what died, so that many points fit on a small machine at once. */
const POINTS_AT_ONCE = 16;

/** `npm run test:crash -- --times 200`: the crash tests, each crash point so many times. */
await runMain(async () => {
  const { values, positionals } = parseArgs({ options: { times: { type: 'string', default: '3' } }, allowPositionals: true });
  const times = Number(values.times);
  if (!Number.isInteger(times) || times < 1) throw new SetupError(`--times ${values.times} is wrong: give a whole number from 1`);
  process.exitCode = await showTool(
    'vitest',
    ['run', 'test/crash', '--testTimeout', '0', '--maxConcurrency', String(POINTS_AT_ONCE), ...positionals],
    { CRASH_TIMES: String(times) },
  );
});
