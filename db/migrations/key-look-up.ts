import type { Knex } from 'knex';

/**
 * The account of a secret key in one statement: the hash is made known to row-level security for the length of that statement only. Each account gets a secret
 * of its own that signs its preview tokens.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table accounts add column preview_secret text not null default gen_random_uuid()::text || gen_random_uuid()::text;
    create function account_by_key_hash(hash text) returns jsonb language plpgsql as $$
    declare
      found jsonb;
    begin
      perform set_config('app.key_hash', hash, true);
      select to_jsonb(a) into found from api_keys k join accounts a on a.id = k.account_id where k.secret_hash = hash and not k.revoked;
      return found;
    end $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function account_by_key_hash(text); alter table accounts drop column preview_secret;');
}
