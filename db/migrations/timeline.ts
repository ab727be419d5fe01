import type { Knex } from 'knex';

/**
 * What a subscription's timeline tells beyond operations and events as they were: which run of which workflow carried an operation out, what was asked for, what was
 * refused, and whose event it is. Operations, refusals and events draw their positions from one sequence, so that together they have one order.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table operations add column workflow_id text, add column run_id text, add column parameters jsonb, add column position bigint;
    alter table events add column subscription_id text, add column actor text;

    -- What was recorded before: an operation stands where its first event does. The owner of the tables is let past forced row-level security meanwhile.
    alter table operations disable trigger operations_stay;
    alter table events disable trigger events_stay;
    alter table operations no force row level security;
    alter table events no force row level security;
    update operations o set position = coalesce(
      (select min(e.position) from events e where e.account_id = o.account_id and e.operation_id = o.operation_id),
      (select max(e.position) from events e where e.account_id = o.account_id and e.recorded_at <= o.recorded_at), 0);
    update events e set subscription_id = case when e.object_type = 'subscription' then e.object_id else coalesce(e.data ->> 'subscriptionId',
      (select o.subscription_id from operations o where o.account_id = e.account_id and o.operation_id = e.operation_id)) end;
    alter table operations force row level security;
    alter table events force row level security;
    alter table operations enable trigger operations_stay;
    alter table events enable trigger events_stay;
  `);
  // Statements of their own: a table cannot be altered while the updates above are pending on it.
  await knex.raw(`
    alter table operations alter column position set not null, alter column position set default nextval('events_position_seq');
    drop index operations_of_subscription;
    create index operations_of_subscription on operations (account_id, subscription_id, position) where subscription_id is not null;
    create index events_of_subscription on events (account_id, subscription_id, position) where subscription_id is not null;
    create index events_in_time on events (account_id, occurred_at, position);

    create table refused_commands (
      account_id text not null references accounts (id),
      operation_id text not null,
      kind text not null,
      as_of timestamptz not null,
      subscription_id text not null,
      invoice_id text,
      actor text not null,
      parameters jsonb,
      code text not null,
      message text not null,
      param text,
      workflow_id text,
      run_id text,
      recorded_at timestamptz not null default clock_timestamp(),
      position bigint not null default nextval('events_position_seq'),
      primary key (account_id, operation_id)
    );
    create index refused_commands_of_subscription on refused_commands (account_id, subscription_id, position);
    create trigger refused_commands_stay before update or delete on refused_commands for each row execute function forbid_change();
    alter table refused_commands enable row level security;
    alter table refused_commands force row level security;
    create policy own_account on refused_commands using (account_id = current_setting('app.account_id', true));
    do $$
    begin
      grant usage on sequence events_position_seq to perennial_app;
    exception when undefined_object or insufficient_privilege then
      -- The login works as the owner of the tables, and of the sequence (see the row-level security migration).
      null;
    end $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table refused_commands;
    drop index events_in_time, events_of_subscription, operations_of_subscription;
    create index operations_of_subscription on operations (account_id, subscription_id, recorded_at);
    alter table operations drop column workflow_id, drop column run_id, drop column parameters, drop column position;
    alter table events drop column subscription_id, drop column actor;
  `);
}
