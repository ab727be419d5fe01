import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { readConfig } from '../config/env.ts';
import { runMain, SetupError } from '../config/setup-error.ts';
import type { FloorShape } from './floor-workflow.ts';
import { type ApiResult, measureApi } from './measure-api.ts';
import { bundleFloor, type FloorResult, measureFloor } from './measure-floor.ts';
import { measureRenewals, type RenewalResult } from './measure-renewals.ts';
import { startBench } from './servers.ts';
import { table } from './table.ts';

const SHAPES: FloorShape[] = ['timer + local activity', 'timer + remote activity', 'events of a renewal'];

interface Report {
  commit: string;
  machine: { cpu: string; cores: number; memoryGb: number; system: string; node: string; loadBefore: number };
  floor: FloorResult[];
  renewals: RenewalResult;
  /** Renewals per second as a share of the floor with the same events. */
  shareOfFloor: number;
  api: ApiResult[];
}

/** `npm run bench -- --subscriptions 1000 --seconds 10 --json report.json` */
await runMain(async () => {
  const { values } = parseArgs({
    options: { subscriptions: { type: 'string', default: '200' }, seconds: { type: 'string', default: '5' }, json: { type: 'string' } },
  });
  const subscriptions = positive('--subscriptions', values.subscriptions);
  const seconds = positive('--seconds', values.seconds);
  const config = readConfig(process.env);
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const machine = describeMachine();
  const bench = await startBench(config);
  let report: Report;
  try {
    const bundle = await bundleFloor();
    const floor: FloorResult[] = [];
    for (const shape of SHAPES) floor.push(await measureFloor(bench, bundle, shape, subscriptions));
    const renewals = await measureRenewals(bench, subscriptions);
    const api = await measureApi(bench, seconds);
    const same = floor.find(({ shape }) => shape === 'events of a renewal')?.perSecond ?? Number.NaN;
    report = { commit: commit(), machine, floor, renewals, shareOfFloor: renewals.perSecond / same, api };
  } finally {
    await bench.stop();
  }
  const file = values.json ?? join(config.PERENNIAL_HOME, 'reports', `bench-${report.commit}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`${describe(report)}\n\nAs JSON: ${file}\n`);
});

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new SetupError(`${name} ${text} is wrong: give a whole number from 1`);
  return value;
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '-dirty'}`;
  } catch {
    return 'unknown';
  }
}

const describeMachine = (): Report['machine'] => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()}`,
  node: process.version,
  loadBefore: loadavg()[0] ?? 0,
});

function describe({ commit: at, machine, floor, renewals, shareOfFloor, api }: Report): string {
  const { cpu, cores, memoryGb, system, node, loadBefore } = machine;
  return [
    `commit ${at} · ${cores} × ${cpu}, ${memoryGb} GB, ${system}, Node ${node}, load before ${loadBefore.toFixed(1)}`,
    '',
    table(
      ['all due in one second', 'per second', 'history events', 'history bytes'],
      [
        ...floor.map((result) => [`bare: ${result.shape}`, result.perSecond.toFixed(1), result.eventsPerRun, result.bytesPerRun]),
        [`renewals of ${renewals.subscriptions} subscriptions`, renewals.perSecond.toFixed(1), renewals.eventsPerRun, renewals.bytesPerRun],
      ],
    ),
    `share of the bare floor with the same events: ${shareOfFloor.toFixed(2)}`,
    '',
    table(['CPU per renewal', 'ms'], Object.entries(renewals.cpuMs).map(([name, ms]) => [name, ms.toFixed(1)])),
    '',
    table(
      ['API, four clients', 'per second', 'p50 ms', 'p99 ms', 'errors'],
      api.map((result) => [result.request, result.perSecond.toFixed(0), result.p50Ms, result.p99Ms, result.errors]),
    ),
  ].join('\n');
}
