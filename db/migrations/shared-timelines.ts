import type { Knex } from 'knex';
import { isolateAccounts } from './row-level-security.ts';

/** What happens to a consolidated invoice is written once, and is a part of the timeline of each subscription that it bills. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table timeline_shares (
      account_id text not null,
      subscription_id text not null,
      position bigint not null,
      operation_id text,
      event_id text,
      primary key (account_id, subscription_id, position),
      foreign key (account_id, subscription_id) references subscriptions,
      foreign key (account_id, operation_id) references operations,
      foreign key (account_id, event_id) references events,
      check ((operation_id is null) <> (event_id is null))
    );
  `);
  await isolateAccounts(knex, ['timeline_shares']);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table timeline_shares');
}
