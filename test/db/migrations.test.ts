import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertAccount } from '../../db/accounts.ts';
import { migrate, openDatabase, rollback, withAccount } from '../../db/client.ts';
import { migrationSource } from '../../db/migrations/index.ts';
import { anAccount } from '../api/examples.ts';
import { openCluster } from './world.ts';

let cluster: Awaited<ReturnType<typeof openCluster>>;
let admin: pg.Client;
const made: string[] = [];
beforeAll(async () => {
  cluster = await openCluster();
  admin = new pg.Client({ connectionString: cluster.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  for (const name of made) await admin.query(`drop database ${name} with (force)`);
  await admin.end();
  await cluster.stop();
});

async function emptyDatabase(login?: string): Promise<string> {
  const name = `empty_${randomBytes(6).toString('hex')}`;
  await admin.query(`create database ${name} ${login ? `owner ${login}` : ''}`);
  made.push(name);
  const url = new URL(cluster.adminUrl);
  url.pathname = `/${name}`;
  if (login) {
    url.username = login;
    url.password = 'secret';
  }
  return url.href;
}

async function query<T>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

const SCHEMA = `
  select 'table' as kind, table_name || '.' || column_name || ' ' || data_type as name from information_schema.columns where table_schema = 'public'
  union select 'constraint', conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
  union select 'index', indexdef from pg_indexes where schemaname = 'public'
  union select 'trigger', pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union select 'policy', tablename || ' ' || policyname || ' ' || cmd || ' ' || qual from pg_policies
  union select 'function', p.oid::regprocedure::text from pg_proc p where pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by 1, 2`;

test('forward, back to nothing, and forward again to the same schema', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const first = await query(url, SCHEMA);
  await rollback(url);
  const left = await query<{ name: string }>(url, `${SCHEMA}`);
  expect(left.filter(({ name }) => !name.includes('perennial_migrations'))).toEqual([]);
  await migrate(url);
  expect(await query(url, SCHEMA)).toEqual(first);
});

test('several processes may migrate at once', async () => {
  const url = await emptyDatabase();
  await Promise.all([migrate(url), migrate(url), migrate(url)]);
  expect(await query(url, 'select count(*)::int as n from perennial_migrations')).toEqual([
    { n: (await migrationSource.getMigrations([])).length },
  ]);
});

test('a migration that was killed halfway keeps nobody out', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  await query(url, 'update perennial_migrations_lock set is_locked = 1');
  await migrate(url);
});

test('every table that belongs to an account has row-level security, forced', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const tables = await query<{ name: string; secured: boolean; owned: boolean }>(
    url,
    `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as secured,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id' and a.attnotnull) or c.relname = 'accounts' as owned
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not like 'perennial_migrations%'`,
  );
  expect(tables.length).toBeGreaterThan(20);
  expect(tables.filter((table) => !table.owned || !table.secured)).toEqual([]);
});

test('every foreign key between tables of an account carries the account', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const loose = await query(
    url,
    `select conrelid::regclass::text as name, pg_get_constraintdef(oid) as definition from pg_constraint
     where contype = 'f' and confrelid <> 'accounts'::regclass and pg_get_constraintdef(oid) not like 'FOREIGN KEY (account_id, %'`,
  );
  expect(loose).toEqual([]);
});

test('a login that is no superuser and may make no roles works as the owner, under forced security', async () => {
  const login = `plain_${randomBytes(4).toString('hex')}`;
  await admin.query(`create role ${login} login password 'secret'`);
  const url = await emptyDatabase(login);
  await migrate(url);
  const db = openDatabase({ url, poolMax: 2 });
  for (const id of ['acct_1', 'acct_2']) await insertAccount(db, anAccount({ id }));
  const { rows: session } = await withAccount(db, 'acct_1', (t) => t.run('select current_user as "user"', []));
  expect(session).toEqual([{ user: login }]);
  const { rows } = await withAccount(db, 'acct_1', (t) => t.run('select id from accounts', []));
  expect(rows).toEqual([{ id: 'acct_1' }]);
  await db.close();
  await rollback(url);
});

test('a login that security does not hold for takes the role it holds for, or is refused', async () => {
  const [superuser, bypassing] = [`super_${randomBytes(4).toString('hex')}`, `bypass_${randomBytes(4).toString('hex')}`];
  await admin.query(`create role ${superuser} login superuser password 'secret'`);
  await admin.query(`create role ${bypassing} login bypassrls password 'secret'`);
  await migrate(await emptyDatabase());
  const user = async (login: string): Promise<unknown> => {
    const db = openDatabase({ url: await emptyDatabase(login), poolMax: 1 });
    try {
      return (await db.knex.raw('select current_user as "user"')).rows[0].user;
    } finally {
      await db.close();
    }
  };
  expect(await user(superuser)).toBe('perennial_app');
  await expect(user(bypassing)).rejects.toThrow(/not migrated/);
});
