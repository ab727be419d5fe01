import type { Knex } from 'knex';

/** Payment attempts, the customer's balance, and the journal that balances. An invoice is written last, with its number, hence the deferred references to it. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table payment_attempts (
      account_id text not null,
      id text not null,
      invoice_id text not null,
      customer_id text not null,
      number integer not null check (number > 0),
      operation_id text not null,
      gateway text not null,
      payment_method_id text not null,
      idempotency_key text not null,
      gateway_reference text,
      amount bigint not null check (amount > 0),
      currency text not null,
      status text not null check (status in ('created', 'processing', 'unknown', 'requires_action', 'succeeded', 'declined', 'canceled')),
      decline_code text,
      decline_message text,
      created_at timestamptz not null,
      resolved_at timestamptz,
      primary key (account_id, id),
      foreign key (account_id, invoice_id) references invoices deferrable initially deferred,
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, payment_method_id) references payment_methods,
      unique (account_id, invoice_id, number),
      unique (account_id, idempotency_key),
      unique (gateway, gateway_reference)
    ) with (fillfactor = 85);
    -- The right to charge: an attempt whose outcome is not known keeps every other one out.
    create unique index payment_attempts_one_unresolved on payment_attempts (account_id, invoice_id) where status in ('created', 'processing', 'unknown');

    create table balance_transactions (
      account_id text not null,
      id text not null,
      customer_id text not null,
      type text not null,
      amount bigint not null check (amount <> 0),
      ending_balance bigint not null,
      currency text not null,
      invoice_id text,
      created_at timestamptz not null,
      position bigint generated always as identity,
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, invoice_id) references invoices deferrable initially deferred
    );
    create index balance_transactions_of_customer on balance_transactions (account_id, customer_id, created_at desc, id desc);

    create table journal_transactions (
      account_id text not null references accounts (id),
      id text not null,
      kind text not null,
      currency text not null,
      invoice_id text,
      payment_attempt_id text,
      customer_id text not null,
      effective_at timestamptz not null,
      recorded_at timestamptz not null default clock_timestamp(),
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, invoice_id) references invoices deferrable initially deferred,
      foreign key (account_id, payment_attempt_id) references payment_attempts
    );
    create index journal_of_invoice on journal_transactions (account_id, invoice_id);

    create table journal_entries (
      account_id text not null,
      journal_transaction_id text not null,
      position integer not null,
      ledger_account text not null check (ledger_account ~ '^(receivable|cash:.+|deferred_revenue|revenue|tax_payable|customer_balance|refunds|bad_debt)$'),
      amount bigint not null check (amount <> 0),
      primary key (account_id, journal_transaction_id, position),
      foreign key (account_id, journal_transaction_id) references journal_transactions
    );

    create function require_zero_sum() returns trigger language plpgsql as $$
    begin
      if (select sum(amount) from journal_entries where account_id = new.account_id and journal_transaction_id = new.journal_transaction_id) <> 0 then
        raise exception 'the journal transaction % does not sum to zero', new.journal_transaction_id using errcode = 'check_violation';
      end if;
      return null;
    end $$;
    create function require_entries() returns trigger language plpgsql as $$
    begin
      if not exists (select from journal_entries where account_id = new.account_id and journal_transaction_id = new.id) then
        raise exception 'the journal transaction % has no entries', new.id using errcode = 'check_violation';
      end if;
      return null;
    end $$;
    create constraint trigger journal_has_entries after insert on journal_transactions deferrable initially deferred for each row execute function require_entries();
    create constraint trigger journal_sums_to_zero after insert on journal_entries deferrable initially deferred for each row execute function require_zero_sum();

    create function forbid_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
    end $$;
    create trigger journal_stays before update or delete on journal_transactions for each row execute function forbid_change();
    create trigger journal_entries_stay before update or delete on journal_entries for each row execute function forbid_change();
    create trigger balance_transactions_stay before update or delete on balance_transactions for each row execute function forbid_change();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table journal_entries, journal_transactions, balance_transactions, payment_attempts;
    drop function require_zero_sum, require_entries, forbid_change;
  `);
}
