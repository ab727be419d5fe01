import { parseArgs } from 'node:util';
import { runMain, SetupError } from '../config/setup-error.ts';
import { showTool } from './run-tool.ts';

/** `npm run test:clock -- --customers 100 --years 3`: so many customers advanced so far in one step, and the same lives lived in small ones. */
await runMain(async () => {
  const { values } = parseArgs({
    options: { customers: { type: 'string', default: '100' }, years: { type: 'string', default: '3' } },
  });
  for (const [name, value] of Object.entries(values)) {
    if (!/^[1-9]\d{0,3}$/.test(value)) throw new SetupError(`--${name} ${value} is wrong: give a whole number from 1`);
  }
  process.exitCode = await showTool('vitest', ['run', 'test/scenarios/test-clock-long.test.ts', '--testTimeout', '0'], {
    CLOCK_CUSTOMERS: values.customers,
    CLOCK_YEARS: values.years,
  });
});
