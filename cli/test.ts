import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../config/env.ts';
import { runMain } from '../config/setup-error.ts';
import { runChecks } from './checks.ts';
import { showTool } from './run-tool.ts';
import { countTests, describeTally } from './test-report.ts';

/**
 * `npm test`: every check, then every test. `npm run test:fast`: only the tests that need no server. Whatever else stands on the command line goes to
 * vitest (file names, `-t`). The last line is the count of the report; there is none when nothing ran. A failed check counts as a failure.
 */
await runMain(async () => {
  const [first, ...rest] = process.argv.slice(2);
  const isFast = first === '--fast';
  const args = isFast ? rest : process.argv.slice(2);
  const failedChecks = isFast ? [] : await runChecks();

  const folder = join(readConfig(process.env).PERENNIAL_HOME, 'reports');
  const report = join(folder, `tests-${process.pid}.json`);
  mkdirSync(folder, { recursive: true });
  try {
    const code = await showTool('vitest', [
      'run',
      ...(isFast ? ['--project', 'fast'] : []),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ]);
    const tally = countTests(report);
    if (failedChecks.length > 0) process.stdout.write(`Failed checks: ${failedChecks.join('; ')}\n`);
    process.exitCode = code === 0 && tally !== null && tally.failed + failedChecks.length === 0 ? 0 : 1;
    if (tally === null) process.stderr.write('No test ran\n');
    else process.stdout.write(`${describeTally({ ...tally, failed: tally.failed + failedChecks.length })}\n`);
  } finally {
    rmSync(report, { force: true });
  }
});
