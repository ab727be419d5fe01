import { Client, type Connection } from '@temporalio/client';
import { readConfig } from '../config/env.ts';
import { SetupError } from '../config/setup-error.ts';
import { connectClient } from '../config/temporal-connection.ts';
import { openDatabase } from '../db/client.ts';
import type { Recovery } from '../recovery/restart.ts';
import { checkDatabase } from '../servers/check-database.ts';
import { embeddedPostgresUrl } from '../servers/postgres.ts';
import { ensureSearchAttributes } from '../servers/search-attributes.ts';

/** Does the work with the servers of the settings; where those name none, with the ones that `npm start` runs on this machine. */
export async function withRecovery(work: (recovery: Recovery) => Promise<void>): Promise<void> {
  const config = readConfig(process.env);
  const url = config.DATABASE_URL ?? embeddedPostgresUrl(config.POSTGRES_PORT);
  const address = config.TEMPORAL_ADDRESS ?? `127.0.0.1:${config.TEMPORAL_PORT}`;
  await checkDatabase(url).catch((error: unknown) => {
    if (config.DATABASE_URL !== undefined) throw error;
    throw new SetupError('No Postgres answers here: run `npm start` in another terminal, or give DATABASE_URL');
  });
  let connection: Connection;
  try {
    connection = await connectClient({ ...config, TEMPORAL_ADDRESS: address });
  } catch (error) {
    if (config.TEMPORAL_ADDRESS !== undefined) throw error;
    throw new SetupError('No Temporal answers here: run `npm start` in another terminal, or give TEMPORAL_ADDRESS');
  }
  const db = openDatabase({ url, poolMax: 4 });
  try {
    await ensureSearchAttributes(connection, config.TEMPORAL_NAMESPACE);
    await work({
      db,
      client: new Client({ connection, namespace: config.TEMPORAL_NAMESPACE }),
      taskQueue: config.TEMPORAL_TASK_QUEUE,
    });
  } finally {
    await db.close();
    await connection.close();
  }
}
