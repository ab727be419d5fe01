import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

/** Each border of the rooms is broken once, in a copy of the project's shape; a lint that lets it pass fails here. */

const ROOT = new URL('../..', import.meta.url).pathname;
const BIOME = join(ROOT, 'node_modules', '.bin', 'biome');

const FORBIDDEN: [file: string, source: string, rule: string][] = [
  ...['workflows', 'gateways', 'db', 'activities', 'api', 'workers', 'servers', 'config', 'cli', 'bench', 'test', 'web'].map(
    (room): [string, string, string] => [
      `domain/rating/imports-${room}.ts`,
      `export { x } from '../../${room}/x.ts';`,
      'noRestrictedImports',
    ],
  ),
  ['domain/imports-package.ts', `import { z } from 'zod';\nexport const schema = z.string();`, 'noRestrictedImports'],
  ['domain/imports-node.ts', `import { readFileSync } from 'node:fs';\nexport const read = readFileSync;`, 'noRestrictedImports'],
  ['domain/rating/imports-decimal.ts', `import { Decimal } from 'decimal.js';\nexport const one = new Decimal(1);`, 'noRestrictedImports'],
  [
    'domain/rating/imports-time.ts',
    `import { Temporal } from 'temporal-polyfill';\nexport const utc = Temporal.PlainDate;`,
    'noRestrictedImports',
  ],
  ['domain/time.ts', `import { Decimal } from 'decimal.js';\nexport const one = new Decimal(1);`, 'noRestrictedImports'],
  ['domain/reads-clock.ts', 'export const at = (): number => new Date(0).getTime();', 'noRestrictedGlobals'],
  ['domain/waits.ts', 'export const later = (work: () => void): unknown => setTimeout(work, 1);', 'noRestrictedGlobals'],
  ['domain/reads-process.ts', `export const home = (): string | undefined => process.env['HOME'];`, 'noRestrictedGlobals'],
  ['domain/rolls-dice.ts', 'export const roll = (): number => Math.random();', 'plugin'],
  ['domain/makes-uuid.ts', 'export const id = (): string => crypto.randomUUID();', 'noRestrictedGlobals'],
  ['workflows/imports-activity.ts', `export { collectPayment } from '../activities/collect-payment.ts';`, 'noRestrictedImports'],
  ['workflows/imports-db.ts', `export { openDatabase } from '../db/client.ts';`, 'noRestrictedImports'],
  ['workflows/imports-node.ts', `import { createHash } from 'node:crypto';\nexport const hash = createHash;`, 'noRestrictedImports'],
  ['workflows/imports-client.ts', `import { Client } from '@temporalio/client';\nexport const client = Client;`, 'noRestrictedImports'],
  ['workflows/rolls-dice.ts', 'export const roll = (): number => Math.random();', 'plugin'],
  ['gateways/imports-db.ts', `export { openDatabase } from '../db/client.ts';`, 'noRestrictedImports'],
  ['gateways/imports-temporal.ts', `import { Client } from '@temporalio/client';\nexport const client = Client;`, 'noRestrictedImports'],
  ['db/imports-gateway.ts', `export { x } from '../gateways/payment/registry.ts';`, 'noRestrictedImports'],
  ['db/reads-clock.ts', 'export const at = (): number => Date.now();', 'plugin'],
  ['db/reads-sql-clock.ts', `export const sql = 'update invoices set paid_at = now() where id = ?';`, 'plugin'],
  ['db/reads-sql-date.ts', 'export const sql = `select current_date`;', 'plugin'],
  ['activities/imports-api.ts', `export { createApp } from '../api/create-app.ts';`, 'noRestrictedImports'],
  ['activities/imports-workflow.ts', `export { subscription } from '../workflows/subscription/run.ts';`, 'noRestrictedImports'],
  ['activities/reads-clock.ts', 'export const at = (): Date => new Date();', 'plugin'],
  ['api/routes/imports-activity.ts', `export { makeActivities } from '../../activities/make-activities.ts';`, 'noRestrictedImports'],
  ['api/routes/imports-workflow.ts', `export { subscription } from '../../workflows/subscription/run.ts';`, 'noRestrictedImports'],
  ['api/routes/imports-config.ts', `export { readConfig } from '../../config/env.ts';`, 'noRestrictedImports'],
  ['workers/imports-api.ts', `export { createApp } from '../api/create-app.ts';`, 'noRestrictedImports'],
  ['workers/imports-workflow.ts', `export { subscription } from '../workflows/subscription/run.ts';`, 'noRestrictedImports'],
  ['servers/imports-cli.ts', `export { welcome } from '../cli/welcome.ts';`, 'noRestrictedImports'],
  ['recovery/imports-workflow.ts', `export { subscription } from '../workflows/subscription/run.ts';`, 'noRestrictedImports'],
  ['recovery/imports-activity.ts', `export { makeActivities } from '../activities/make-activities.ts';`, 'noRestrictedImports'],
  ['cli/imports-worker.ts', `export { createWorker } from '../workers/create-worker.ts';`, 'noRestrictedImports'],
];

const ALLOWED: [file: string, source: string][] = [
  ['domain/rating/fine.ts', `export { add } from '../money.ts';\nexport { x } from './x.ts';`],
  ['domain/money.ts', `import { Decimal } from 'decimal.js';\nexport const one = new Decimal(1);`],
  ['domain/time.ts', `import { Temporal } from 'temporal-polyfill';\nexport const utc = Temporal.PlainDate;`],
  ['workflows/fine.ts', `export type { Activities } from '../activities/index.ts';\nexport { add } from '../domain/money.ts';`],
  ['workflows/clock.ts', 'export const at = (): number => Date.now();'],
  ['gateways/payment/fine.ts', `export { add } from '../../domain/money.ts';\nexport { x } from './contract.ts';`],
  ['db/fine.ts', `export { add } from '../domain/money.ts';\nexport const at = (seconds: number): Date => new Date(seconds * 1000);`],
  ['activities/fine.ts', `export { openDatabase } from '../db/client.ts';\nexport { changePlanUpdate } from '../workflows/messages.ts';`],
  [
    'api/routes/fine.ts',
    `export { openDatabase } from '../../db/client.ts';\nexport { changePlanUpdate } from '../../workflows/messages.ts';`,
  ],
  ['workers/fine.ts', `export { makeActivities } from '../activities/make-activities.ts';`],
];

interface Diagnostic {
  category: string;
  location: { path: string };
}

/** What the lint finds in each file, the sources of one list at a time, since a file may stand in both. */
async function lint(sources: readonly (readonly [file: string, source: string, ...unknown[]])[]): Promise<Map<string, string[]>> {
  const sandbox = mkdtempSync(join(tmpdir(), 'perennial-borders-'));
  try {
    for (const name of ['biome.json', 'lint']) cpSync(join(ROOT, name), join(sandbox, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(sandbox, 'node_modules'));
    writeFileSync(join(sandbox, '.gitignore'), 'node_modules\n');
    for (const [file, source] of sources) {
      mkdirSync(dirname(join(sandbox, file)), { recursive: true });
      writeFileSync(join(sandbox, file), `${source}\n`);
    }
    const { stdout } = await promisify(execFile)(BIOME, ['lint', '--reporter=json', '--max-diagnostics=none'], { cwd: sandbox }).catch(
      (error: { stdout: string }) => error,
    );
    const found = new Map(sources.map(([file]): [string, string[]] => [file, []]));
    for (const { category, location } of (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics)
      found.get(location.path)?.push(category);
    return found;
  } finally {
    rmSync(sandbox, { recursive: true, force: true });
  }
}

let forbidden: Map<string, string[]>;
let allowed: Map<string, string[]>;
beforeAll(async () => {
  forbidden = await lint(FORBIDDEN);
  allowed = await lint(ALLOWED);
});

test.each(FORBIDDEN)('%s is refused', (file, _, rule) => {
  expect(forbidden.get(file)).toContainEqual(expect.stringContaining(rule));
});

test.each(ALLOWED)('%s is allowed', (file) => {
  expect(allowed.get(file)).toEqual([]);
});
