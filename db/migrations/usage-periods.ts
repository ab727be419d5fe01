import type { Knex } from 'knex';

/** What usage has been billed, and by which line. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table usage_periods (
      account_id text not null,
      id text not null,
      subscription_id text not null,
      subscription_item_id text not null,
      price_id text not null,
      "start" timestamptz not null,
      "end" timestamptz not null,
      quantity text not null,
      amount bigint not null,
      net bigint not null,
      watermark bigint not null,
      tax_rate_ids text[] not null default '{}',
      invoice_id text,
      invoice_line_id text,
      invoice_item_id text,
      primary key (account_id, id),
      foreign key (account_id, subscription_id) references subscriptions deferrable initially deferred,
      foreign key (account_id, subscription_item_id) references subscription_items deferrable initially deferred,
      foreign key (account_id, price_id) references prices,
      foreign key (account_id, invoice_id) references invoices deferrable initially deferred,
      foreign key (account_id, invoice_line_id) references invoice_lines deferrable initially deferred,
      foreign key (account_id, invoice_item_id) references invoice_items deferrable initially deferred,
      check ("start" <= "end"),
      -- No usage of an item is billed twice.
      constraint usage_periods_never_overlap exclude using gist (
        account_id with =, subscription_item_id with =, tstzrange("start", "end") with &&
      )
    );
    create index usage_periods_of_subscription on usage_periods (account_id, subscription_id, "end");
    alter table usage_periods enable row level security;
    alter table usage_periods force row level security;
    create policy own_account on usage_periods using (account_id = current_setting('app.account_id', true));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table usage_periods');
}
