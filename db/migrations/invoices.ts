import type { Knex } from 'knex';

/** Invoices with their lines, pending items, and the coverage that proves nothing is billed twice. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table invoices (
      account_id text not null references accounts (id),
      id text not null,
      number text,
      customer_id text not null,
      subscription_id text,
      status text not null check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
      billing_reason text not null,
      currency text not null check (currency ~ '^[a-z]{3}$'),
      subtotal bigint not null,
      subtotal_excluding_tax bigint not null,
      tax bigint not null,
      total bigint not null,
      total_excluding_tax bigint not null,
      taxes jsonb not null,
      starting_balance bigint not null,
      ending_balance bigint,
      amount_credited bigint not null,
      amount_due bigint not null,
      amount_paid bigint not null,
      amount_remaining bigint not null,
      attempt_count integer not null,
      attempted boolean not null,
      next_payment_attempt timestamptz,
      auto_advance boolean not null,
      period_start timestamptz not null,
      period_end timestamptz not null,
      default_tax_rate_ids text[] not null default '{}',
      tax_calculator text not null,
      tax_status text not null check (tax_status in ('complete', 'pending', 'failed')),
      customer jsonb not null,
      seller jsonb not null,
      description text,
      metadata jsonb not null,
      created_at timestamptz not null,
      finalized_at timestamptz,
      paid_at timestamptz,
      voided_at timestamptz,
      marked_uncollectible_at timestamptz,
      -- Tells invoices of one second apart, in the order in which they were made.
      position bigint generated always as identity,
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, subscription_id) references subscriptions,
      unique (account_id, number),
      check (amount_due = amount_paid + amount_credited + amount_remaining),
      check (amount_due >= 0 and amount_paid >= 0 and amount_credited >= 0 and amount_remaining >= 0),
      check ((status = 'paid') <= (amount_remaining = 0)),
      check (status <> 'draft' or finalized_at is null),
      check (status in ('draft', 'void') or finalized_at is not null),
      check ((number is null) = (finalized_at is null))
    ) with (fillfactor = 85);
    create index invoices_newest on invoices (account_id, created_at desc, id desc);
    create index invoices_of_customer on invoices (account_id, customer_id, created_at desc, id desc);
    create index invoices_of_subscription on invoices (account_id, subscription_id, created_at desc, id desc);
    create index invoices_unsettled on invoices (account_id, subscription_id) where status in ('draft', 'open');
    alter table subscriptions add foreign key (account_id, latest_invoice_id) references invoices deferrable initially deferred;

    create table invoice_items (
      account_id text not null references accounts (id),
      id text not null,
      customer_id text not null,
      subscription_id text,
      invoice_id text,
      line jsonb not null,
      tax_rate_ids text[] not null default '{}',
      date timestamptz not null,
      -- Taken back before it was invoiced; kept because events tell of it.
      removed boolean not null default false,
      -- Items of one second stay in the order in which they were decided: it is the order of the lines they become.
      position bigint generated always as identity,
      primary key (account_id, id),
      check (not removed or invoice_id is null),
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, subscription_id) references subscriptions,
      foreign key (account_id, invoice_id) references invoices deferrable initially deferred
    );
    create index invoice_items_pending on invoice_items (account_id, subscription_id) where invoice_id is null and not removed;
    create index invoice_items_newest on invoice_items (account_id, customer_id, date desc, position desc);

    create table invoice_lines (
      account_id text not null,
      id text not null,
      invoice_id text not null,
      position integer not null,
      subscription_item_id text,
      invoice_item_id text,
      price_id text,
      product_id text,
      description text not null,
      quantity text,
      unit_amount_decimal text,
      currency text not null,
      amount bigint not null,
      period_start timestamptz not null,
      period_end timestamptz not null,
      proration boolean not null,
      credited_invoice_id text,
      credited_line_id text,
      taxes jsonb not null,
      explanation jsonb not null,
      metadata jsonb not null,
      primary key (account_id, id),
      unique (account_id, invoice_id, position),
      -- Deferred, because the lines of an invoice are written before it (see finalised_lines_stay).
      foreign key (account_id, invoice_id) references invoices on delete cascade deferrable initially deferred,
      foreign key (account_id, credited_invoice_id) references invoices deferrable initially deferred,
      foreign key (account_id, price_id) references prices,
      foreign key (account_id, product_id) references products
    );

    create table billed_periods (
      account_id text not null,
      id text not null,
      subscription_item_id text not null,
      price_id text not null,
      quantity text not null,
      "start" timestamptz not null,
      "end" timestamptz not null,
      original_start timestamptz not null,
      original_end timestamptz not null,
      cycle_start timestamptz not null,
      cycle_end timestamptz not null,
      amount bigint not null,
      credited bigint not null,
      tax_rate_ids text[] not null default '{}',
      invoice_id text,
      invoice_line_id text,
      invoice_item_id text,
      primary key (account_id, id),
      foreign key (account_id, price_id) references prices,
      foreign key (account_id, subscription_item_id) references subscription_items deferrable initially deferred,
      foreign key (account_id, invoice_line_id) references invoice_lines deferrable initially deferred,
      foreign key (account_id, invoice_item_id) references invoice_items deferrable initially deferred,
      foreign key (account_id, invoice_id) references invoices deferrable initially deferred,
      check (original_start <= "start" and "start" <= "end" and "end" <= original_end),
      check (credited between 0 and greatest(amount, 0)),
      -- No instant of an item is billed twice. A row that was credited away covers nothing and is in nobody's way.
      constraint billed_periods_never_overlap exclude using gist (
        account_id with =, subscription_item_id with =, tstzrange("start", "end") with &&
      )
    );
    create index billed_periods_of_item on billed_periods (account_id, subscription_item_id, "end");
    create index billed_periods_of_line on billed_periods (account_id, invoice_line_id);
    create index billed_periods_of_invoice_item on billed_periods (account_id, invoice_item_id) where invoice_item_id is not null;

    create function forbid_change_of_finalised_invoice() returns trigger language plpgsql as $$
    declare
      payment_state text[] := array['status', 'amount_paid', 'amount_credited', 'amount_remaining', 'attempt_count', 'attempted', 'next_payment_attempt',
        'auto_advance', 'paid_at', 'voided_at', 'marked_uncollectible_at', 'metadata'];
    begin
      if old.finalized_at is null then return coalesce(new, old); end if;
      if tg_op = 'DELETE' or (to_jsonb(old) - payment_state) is distinct from (to_jsonb(new) - payment_state) then
        raise exception 'the finalised invoice % cannot be changed', old.id using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    create trigger finalised_invoices_stay before update or delete on invoices for each row execute function forbid_change_of_finalised_invoice();

    -- Lines come and go only while their invoice is not stored as finalised; a new invoice is therefore written after its lines.
    create function forbid_change_of_finalised_line() returns trigger language plpgsql as $$
    begin
      if tg_op <> 'INSERT' and exists (select from invoices where account_id = old.account_id and id = old.invoice_id and finalized_at is not null) then
        raise exception 'the lines of the finalised invoice % cannot be changed', old.invoice_id using errcode = 'restrict_violation';
      end if;
      if tg_op <> 'DELETE' and exists (select from invoices where account_id = new.account_id and id = new.invoice_id and finalized_at is not null) then
        raise exception 'the lines of the finalised invoice % cannot be changed', new.invoice_id using errcode = 'restrict_violation';
      end if;
      return coalesce(new, old);
    end $$;
    create trigger finalised_lines_stay before insert or update or delete on invoice_lines for each row execute function forbid_change_of_finalised_line();

    create function require_sum_of_lines() returns trigger language plpgsql as $$
    begin
      if new.subtotal <> (select coalesce(sum(amount) filter (where currency = new.currency), 0) from invoice_lines where account_id = new.account_id and invoice_id = new.id) then
        raise exception 'the lines of the invoice % do not sum to its subtotal', new.id using errcode = 'check_violation';
      end if;
      return null;
    end $$;
    create constraint trigger finalised_invoices_add_up after insert or update of finalized_at on invoices deferrable initially deferred
      for each row when (new.finalized_at is not null) execute function require_sum_of_lines();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions drop constraint subscriptions_account_id_latest_invoice_id_fkey;
    drop table billed_periods, invoice_lines, invoice_items, invoices;
    drop function forbid_change_of_finalised_line, forbid_change_of_finalised_invoice, require_sum_of_lines;
  `);
}
