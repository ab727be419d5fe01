import { parseArgs } from 'node:util';
import { runMain, SetupError } from '../config/setup-error.ts';
import { showTool } from './run-tool.ts';

/** `npm run test:crash -- --times 200`: the crash tests, each crash point so many times. */
await runMain(async () => {
  const { values, positionals } = parseArgs({ options: { times: { type: 'string', default: '3' } }, allowPositionals: true });
  const times = Number(values.times);
  if (!Number.isInteger(times) || times < 1) throw new SetupError(`--times ${values.times} is wrong: give a whole number from 1`);
  process.exitCode = await showTool('vitest', ['run', 'test/crash', '--testTimeout', '0', ...positionals], { CRASH_TIMES: String(times) });
});
