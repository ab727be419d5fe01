import { parseArgs } from 'node:util';
import { runMain, SetupError } from '../config/setup-error.ts';
import { showTool } from './run-tool.ts';

/** `npm run test:simulate -- --years 1000 --seed 7`: so many made-up subscription-years, lived through the API and compared with what the reference biller says. */
await runMain(async () => {
  const { values } = parseArgs({ options: { years: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } } });
  for (const [name, value] of Object.entries(values)) {
    if (!/^[1-9]\d{0,5}$/.test(value)) throw new SetupError(`--${name} ${value} is wrong: give a whole number from 1`);
  }
  process.exitCode = await showTool('vitest', ['run', 'test/scenarios/simulation.test.ts', '--testTimeout', '0'], {
    SIMULATE_YEARS: values.years,
    SIMULATE_SEED: values.seed,
  });
});
