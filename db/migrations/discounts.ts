import type { Knex } from 'knex';
import { isolateAccounts } from './row-level-security.ts';

/** Coupons, the codes that redeem them, what they were redeemed into, and what that takes off. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table coupons (
      account_id text not null references accounts (id),
      id text not null,
      name text,
      percent_off text,
      amount_off bigint check (amount_off > 0),
      currency text check (currency ~ '^[a-z]{3}$'),
      currency_options jsonb not null,
      duration text not null check (duration in ('once', 'repeating', 'forever')),
      duration_in_months integer check (duration_in_months > 0),
      applies_to jsonb,
      max_redemptions integer check (max_redemptions > 0),
      redeem_by timestamptz,
      times_redeemed integer not null,
      metadata jsonb not null,
      deleted boolean not null,
      created_at timestamptz not null,
      primary key (account_id, id),
      check ((percent_off is null) <> (amount_off is null)),
      check ((amount_off is null) = (currency is null)),
      check ((duration = 'repeating') = (duration_in_months is not null)),
      -- The last word: however many redeem it at once, it is never redeemed too often.
      constraint coupons_not_redeemed_too_often check (times_redeemed between 0 and coalesce(max_redemptions, times_redeemed))
    );
    create index coupons_newest on coupons (account_id, created_at desc, id desc) where not deleted;

    create table promotion_codes (
      account_id text not null references accounts (id),
      id text not null,
      code text not null,
      coupon_id text not null,
      active boolean not null,
      customer_id text,
      expires_at timestamptz,
      max_redemptions integer check (max_redemptions > 0),
      times_redeemed integer not null,
      restrictions jsonb not null,
      metadata jsonb not null,
      created_at timestamptz not null,
      primary key (account_id, id),
      foreign key (account_id, coupon_id) references coupons,
      foreign key (account_id, customer_id) references customers,
      constraint promotion_codes_not_redeemed_too_often check (times_redeemed between 0 and coalesce(max_redemptions, times_redeemed))
    );
    create unique index promotion_codes_active on promotion_codes (account_id, lower(code), coalesce(customer_id, '')) where active;
    create index promotion_codes_newest on promotion_codes (account_id, created_at desc, id desc);
    create index promotion_codes_by_code on promotion_codes (account_id, lower(code));

    create table discounts (
      account_id text not null references accounts (id),
      id text not null,
      coupon_id text not null,
      promotion_code_id text,
      customer_id text not null,
      subscription_id text,
      subscription_item_id text,
      invoice_item_id text,
      "start" timestamptz not null,
      "end" timestamptz,
      ended_at timestamptz,
      terms jsonb not null,
      primary key (account_id, id),
      foreign key (account_id, coupon_id) references coupons,
      foreign key (account_id, promotion_code_id) references promotion_codes,
      foreign key (account_id, customer_id) references customers
    );

    alter table customers add column discount jsonb;
    alter table subscriptions add column discounts jsonb not null default '[]';
    alter table subscription_items add column discounts jsonb not null default '[]';
    alter table invoice_items add column discounts jsonb not null default '[]';
    alter table invoices add column discounts jsonb not null default '[]';
    alter table invoice_lines
      add column discount_amounts jsonb not null default '[]',
      add column discountable boolean not null default true;
  `);
  await isolateAccounts(knex, ['coupons', 'promotion_codes', 'discounts']);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table invoice_lines drop column discount_amounts, drop column discountable;
    alter table invoices drop column discounts;
    alter table invoice_items drop column discounts;
    alter table subscription_items drop column discounts;
    alter table subscriptions drop column discounts;
    alter table customers drop column discount;
    drop table discounts, promotion_codes, coupons;
  `);
}
