import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../servers/postgres.ts';
import { startTemporal } from '../../servers/temporal.ts';
import { findTemporalBinary } from '../../servers/temporal-binary.ts';
import { workflowBundle } from '../../servers/workflow-bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the cluster's superuser; make databases of your own in it. */
    postgresUrl: string;
    /** Dev server with fast timers and our search attributes. */
    temporalAddress: string;
    /** The `temporal` executable. */
    temporalPath: string;
    /** The time-skipping `temporal-test-server` executable. */
    testServerPath: string;
    /** The home whose `bundles` folder holds the bundle, for worker processes. */
    home: string;
    /** What `workflows/index.ts` bundles to. */
    workflowBundlePath: string;
  }
}

/** One Postgres, one Temporal and one bundle for all tests that need servers; binaries and bundle are kept in the project's home between runs. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const home = resolve(process.env['PERENNIAL_HOME'] ?? '.perennial');
  const scratch = mkdtempSync(join(tmpdir(), 'perennial-test-'));
  // As root, Postgres runs as its own user and must be able to walk here.
  chmodSync(scratch, 0o755);
  const stops: (() => Promise<void>)[] = [async () => rmSync(scratch, { recursive: true, force: true })];
  const teardown = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    const [temporalPath, testServerPath] = await Promise.all([
      findTemporalBinary({ tool: 'temporal', home, override: process.env['TEMPORAL_BINARY'] }),
      findTemporalBinary({ tool: 'temporal-test-server', home, override: process.env['TEMPORAL_TEST_SERVER_BINARY'] }),
    ]);
    const started = await Promise.allSettled([
      startPostgres({ dataDir: join(scratch, 'postgres'), fast: true }).then((server) => {
        stops.push(() => server.stop());
        return server.url;
      }),
      startTemporal({ binary: temporalPath, dbFile: null, namespace: 'default', fastTimers: true }).then((server) => {
        stops.push(() => server.stop());
        return server.address;
      }),
      workflowBundle(home).then(({ codePath }) => codePath),
    ]);
    const [postgresUrl, temporalAddress, workflowBundlePath] = started.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    }) as [string, string, string];
    provide('postgresUrl', postgresUrl);
    provide('temporalAddress', temporalAddress);
    provide('temporalPath', temporalPath);
    provide('testServerPath', testServerPath);
    provide('home', home);
    provide('workflowBundlePath', workflowBundlePath);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
