import type { Knex } from 'knex';
import { isolateAccounts } from './row-level-security.ts';

/** Alerts about usage, and how far each customer is on the way to one. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table billing_alerts (
      account_id text not null,
      id text not null,
      title text not null,
      meter_id text not null,
      customer_id text,
      gte bigint not null check (gte > 0),
      status text not null check (status in ('active', 'inactive', 'archived')),
      created_at timestamptz not null,
      primary key (account_id, id),
      foreign key (account_id, meter_id) references meters,
      foreign key (account_id, customer_id) references customers
    );
    create index billing_alerts_newest on billing_alerts (account_id, created_at desc, id desc) where status <> 'archived';
    create index billing_alerts_of_meter on billing_alerts (account_id, meter_id) where status = 'active';

    create table billing_alert_tallies (
      account_id text not null,
      alert_id text not null,
      customer_id text not null,
      adds boolean not null,
      usage numeric not null,
      triggered_at timestamptz,
      primary key (account_id, alert_id, customer_id),
      foreign key (account_id, alert_id) references billing_alerts,
      foreign key (account_id, customer_id) references customers
    );
  `);
  await isolateAccounts(knex, ['billing_alerts', 'billing_alert_tallies']);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table billing_alert_tallies, billing_alerts');
}
