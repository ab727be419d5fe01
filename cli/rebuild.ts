import { runMain } from '../config/setup-error.ts';
import { rebuild } from '../recovery/rebuild.ts';
import { withRecovery } from './recovery.ts';

/** `npm run rebuild`: Temporal's data is gone, or a part of it; every workflow that Postgres says there should be is started again. Doing it twice is harmless. */
await runMain(() =>
  withRecovery(async (recovery) => {
    const beganAt = performance.now();
    const progress = (line: string): void => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
    };
    const report = await rebuild(recovery, ({ found, restarted }) => progress(`${restarted} of ${found} subscriptions restarted …`));
    progress('');
    const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
    const { found, running, restarted, dunnings, takenUp, clocks, migrations } = report;
    process.stdout.write(
      [
        `${found} subscriptions need a workflow: ${running} were running, ${restarted} restarted in ${seconds} s.`,
        `${dunnings} dunnings, ${clocks} advances of test clocks and ${migrations} price migrations restarted; ${takenUp} unfinished steps taken up again.`,
        'Workers do the rest: what fell due meanwhile is billed as of its own time, and nothing is charged twice. `npm run drift` compares.',
        '',
      ].join('\n'),
    );
  }),
);
