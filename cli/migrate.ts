import { readConfig } from '../config/env.ts';
import { runMain, SetupError } from '../config/setup-error.ts';
import { connectClient } from '../config/temporal-connection.ts';
import { checkDatabase } from '../servers/check-database.ts';
import { ensureSearchAttributes } from '../servers/search-attributes.ts';
import { keyFile } from './first-account.ts';
import { prepareDatabase } from './prepare-database.ts';

/** `npm run migrate`: your Postgres and your Temporal namespace as this version needs them, and a first key where this home has none. */
await runMain(async () => {
  const config = readConfig(process.env);
  if (config.DATABASE_URL === undefined) {
    throw new SetupError('DATABASE_URL is missing: give the URL of your Postgres; `npm start` migrates its own by itself');
  }
  await checkDatabase(config.DATABASE_URL);
  await prepareDatabase(config.PERENNIAL_HOME, config.DATABASE_URL);
  process.stdout.write(`The database is up to date; the first secret key is in ${keyFile(config.PERENNIAL_HOME)}\n`);
  if (config.TEMPORAL_ADDRESS === undefined) return;
  const connection = await connectClient(config);
  try {
    await ensureSearchAttributes(connection, config.TEMPORAL_NAMESPACE);
  } finally {
    await connection.close();
  }
  process.stdout.write(`The search attributes are registered in the namespace ${config.TEMPORAL_NAMESPACE}\n`);
});
