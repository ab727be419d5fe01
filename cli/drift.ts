import { parseArgs } from 'node:util';
import { runMain } from '../config/setup-error.ts';
import { type DriftReport, drift } from '../recovery/drift.ts';
import { withRecovery } from './recovery.ts';

/** `npm run drift`: where Temporal and Postgres differ, as a table or with `--json`; `--repair` mends what can be mended. Exit code 1 where something differs and was not mended. */
await runMain(() =>
  withRecovery(async (recovery) => {
    const { values } = parseArgs({ options: { repair: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } });
    const report = await drift(recovery, { repair: values.repair });
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report, values.repair));
    if (report.findings.some(({ mended }) => !mended)) process.exitCode = 1;
  }),
);

function describe({ subscriptions, workflows, findings }: DriftReport, repair: boolean): string {
  const compared = `${subscriptions} subscriptions that need a workflow, ${workflows} running workflows`;
  if (findings.length === 0) return `${compared}: no difference.\n`;
  const rows = findings.map(({ kind, accountId, id, detail, mended }) => [
    kind.replaceAll('_', ' '),
    accountId,
    id,
    repair ? (mended ? 'mended' : 'NOT MENDED') : '',
    detail,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const advice = repair ? '' : '`npm run drift -- --repair` mends what can be mended from Postgres.\n';
  return `${compared}: ${findings.length} differences.\n${lines.join('\n')}\n${advice}`;
}
