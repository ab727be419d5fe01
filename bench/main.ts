import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { runMain, SetupError } from '../config/setup-error.ts';
import { measureApi } from './api-latency.ts';
import { measureDecisions } from './decisions.ts';
import { NAMESPACE, startEngine } from './engine.ts';
import { measureFloor } from './floor.ts';
import { measureRebuild } from './rebuild.ts';
import { measureRenewals } from './renewals.ts';
import { describeMachine, print, type Report } from './report.ts';
import { openSeeder } from './seed.ts';
import { measureUsage } from './usage.ts';

/** Customers without a subscription, for the creations that the API is timed with. */
const NEWCOMERS = 500;

/** `npm run bench -- --subscriptions 1000 --seconds 10 --json report.json`; `npm run bench -- --rebuild 10000` measures a rebuild, `-- --usage` meter events, and `-- --decisions` the pure functions, and nothing else. */
await runMain(async () => {
  const { values } = parseArgs({
    options: {
      subscriptions: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '5' },
      rebuild: { type: 'string' },
      usage: { type: 'boolean', default: false },
      decisions: { type: 'boolean', default: false },
      events: { type: 'string', default: '1000000' },
      json: { type: 'string' },
    },
  });
  const count = positive('--subscriptions', values.subscriptions);
  const seconds = positive('--seconds', values.seconds);
  const rebuildOf = values.rebuild === undefined ? null : positive('--rebuild', values.rebuild);
  const machine = describeMachine();
  if (values.decisions) {
    process.stdout.write(`${JSON.stringify({ machine, decisions: measureDecisions(seconds) }, null, 2)}\n`);
    return;
  }
  const say = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const engine = await startEngine(say);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void engine.stop().finally(() => process.exit(130)));
  }
  let report: Report;
  try {
    const connection = await Connection.connect({ address: engine.temporalAddress });
    const seeder = await openSeeder(engine.databaseUrl);
    try {
      const client = new Client({ connection, namespace: NAMESPACE });
      if (rebuildOf !== null) {
        const rebuilt = await measureRebuild(rebuildOf, { client, engine, seeder, say });
        process.stdout.write(`${JSON.stringify({ machine, rebuilt }, null, 2)}\n`);
        return;
      }
      if (values.usage) {
        const usage = await measureUsage({ engine, seeder, seconds, events: positive('--events', values.events), say });
        process.stdout.write(`${JSON.stringify({ machine, usage }, null, 2)}\n`);
        return;
      }
      const floor = await measureFloor(count, client, engine, say);
      const [api, first] = await Promise.all([engine.startApi(), engine.startWorker('parking')]);
      const { renewals, seeded, worker } = await measureRenewals(count, { client, engine, seeder, api, worker: first, say });
      const newcomers = await seeder.customers(NEWCOMERS, Math.floor(Date.now() / 1000));
      const latencies = await measureApi({ url: api.url, secretKey: engine.secretKey, seeded, newcomers, seconds }, say);
      await worker.stop();
      const ratio = Math.round((100 * renewals.burst.perSecond) / floor.burst.perSecond) / 100;
      const setting = 'Servers, worker, API and clients share the machine; Postgres is durable, Temporal keeps its state in a SQLite file.';
      report = { machine, setting, renewals, floor, ratio, api: latencies };
    } finally {
      await seeder.close();
      await connection.close();
    }
  } finally {
    await engine.stop();
  }

  const file = values.json ?? join(resolve(process.env['PERENNIAL_HOME'] ?? '.perennial'), 'reports', `bench-${machine.commit}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`${print(report)}\nAs JSON: ${file}\n`);
});

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new SetupError(`${name} ${text} is wrong: give a whole number from 1`);
  return value;
}
