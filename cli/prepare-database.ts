import { migrate } from '../db/client.ts';
import { migrateSandbox } from '../gateways/payment/sandbox/migrate.ts';
import { firstAccount } from './first-account.ts';

/** Brings schema and sandbox up to date and makes sure that the home's key opens the first account. Safe when several processes do it at once. */
export async function prepareDatabase(home: string, url: string): Promise<{ secretKey: string }> {
  await migrate(url);
  await migrateSandbox(url);
  return firstAccount(home, url);
}
