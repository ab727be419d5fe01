import type { Knex } from 'knex';

/** Tables that are an account's by their column account_id. */
const TABLES = [
  'invoice_number_series',
  'products',
  'prices',
  'tax_rates',
  'customers',
  'payment_methods',
  'subscriptions',
  'subscription_items',
  'invoices',
  'invoice_items',
  'invoice_lines',
  'billed_periods',
  'payment_attempts',
  'balance_transactions',
  'journal_transactions',
  'journal_entries',
  'operations',
  'events',
  'idempotency_keys',
];

/** Nobody sees rows of another account in these tables, their owner neither. */
export async function isolateAccounts(knex: Knex, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    await knex.raw(`
      alter table ${table} enable row level security;
      alter table ${table} force row level security;
      create policy own_account on ${table} using (account_id = current_setting('app.account_id', true));
    `);
  }
}

/**
 * A connection sees the rows of the account it is bound to (setting `app.account_id`) and no others; before that is known it sees the one key
 * whose hash it can name (`app.key_hash`). Superusers are beyond row-level security, so connections act as the role `perennial_app`, which owns nothing;
 * where the login may not create roles, it is no superuser either, and forced security holds for the owner.
 */
export async function up(knex: Knex): Promise<void> {
  await isolateAccounts(knex, TABLES);
  await knex.raw(`
    alter table api_keys enable row level security;
    alter table api_keys force row level security;
    create policy own_account on api_keys using (account_id = current_setting('app.account_id', true));
    create policy known_secret on api_keys for select using (secret_hash = current_setting('app.key_hash', true));
    alter table accounts enable row level security;
    alter table accounts force row level security;
    create policy own_account on accounts using (id = current_setting('app.account_id', true));
    create policy known_secret on accounts for select using (
      id in (select account_id from api_keys where secret_hash = current_setting('app.key_hash', true))
    );
    do $$
    begin
      if (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) then
        if not exists (select from pg_roles where rolname = 'perennial_app') then
          begin
            create role perennial_app nologin;
          exception when duplicate_object or unique_violation then null;
          end;
        end if;
        execute format('grant perennial_app to %I', current_user);
        execute format('grant usage on schema %I to perennial_app', current_schema());
        execute format('grant select, insert, update, delete on all tables in schema %I to perennial_app', current_schema());
        execute format('alter default privileges in schema %I grant select, insert, update, delete on tables to perennial_app', current_schema());
      end if;
    exception when insufficient_privilege then
      -- The role is another login's in this cluster. This one is no superuser, so it works as the owner.
      null;
    end $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['accounts', 'api_keys', ...TABLES]) {
    await knex.raw(
      `drop policy own_account on ${table}; alter table ${table} disable row level security; alter table ${table} no force row level security;`,
    );
  }
  await knex.raw(`
    drop policy known_secret on api_keys;
    drop policy known_secret on accounts;
    do $$
    begin
      execute format('alter default privileges in schema %I revoke all on tables from perennial_app', current_schema());
      execute format('revoke all on all tables in schema %I from perennial_app', current_schema());
      execute format('revoke usage on schema %I from perennial_app', current_schema());
    exception when undefined_object then null;
    end $$;
  `);
}
