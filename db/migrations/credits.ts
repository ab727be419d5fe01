import type { Knex } from 'knex';
import { isolateAccounts } from './row-level-security.ts';

const LEDGER_ACCOUNTS = 'receivable|cash:.+|deferred_revenue|revenue|tax_payable|customer_balance|refunds|bad_debt';

const allowLedgerAccounts = (accounts: string): string => `
  alter table journal_entries drop constraint journal_entries_ledger_account_check;
  alter table journal_entries add constraint journal_entries_ledger_account_check check (ledger_account ~ '^(${accounts})$');
`;

/** Prepaid and promotional credit of customers, its movements, and what invoices drew. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table credit_grants (
      account_id text not null,
      id text not null,
      customer_id text not null,
      name text,
      category text not null check (category in ('paid', 'promotional')),
      amount bigint not null check (amount > 0),
      remaining bigint not null,
      currency text not null check (currency ~ '^[a-z]{3}$'),
      scope jsonb not null,
      priority integer not null check (priority between 0 and 100),
      effective_at timestamptz not null,
      expires_at timestamptz,
      voided_at timestamptz,
      metadata jsonb not null,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers,
      -- The last word: however many draw at once, no more is drawn than was granted.
      constraint credit_grants_not_overdrawn check (remaining between 0 and amount)
    );
    create index credit_grants_newest on credit_grants (account_id, created_at desc, id desc);
    create index credit_grants_of_customer on credit_grants (account_id, customer_id);

    create table credit_transactions (
      account_id text not null,
      id text not null,
      grant_id text not null,
      customer_id text not null,
      type text not null check (type in ('credits_granted', 'credits_applied', 'credits_application_invoice_voided', 'credits_expired', 'credits_voided')),
      amount bigint not null check (amount <> 0),
      currency text not null,
      invoice_id text,
      invoice_line_id text,
      effective_at timestamptz not null,
      created_at timestamptz not null,
      position bigint generated always as identity,
      primary key (account_id, id),
      foreign key (account_id, grant_id) references credit_grants deferrable initially deferred,
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, invoice_id) references invoices deferrable initially deferred
    );
    create index credit_transactions_of_customer on credit_transactions (account_id, customer_id, position desc);
    create index credit_transactions_of_grant on credit_transactions (account_id, grant_id, position desc);
    create trigger credit_transactions_stay before update or delete on credit_transactions for each row execute function forbid_change();

    alter table invoices add column credit_draws jsonb not null default '[]';
    ${allowLedgerAccounts(`${LEDGER_ACCOUNTS}|prepaid_credits|promotional_credits`)}
  `);
  await isolateAccounts(knex, ['credit_grants', 'credit_transactions']);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    ${allowLedgerAccounts(LEDGER_ACCOUNTS)}
    alter table invoices drop column credit_draws;
    drop table credit_transactions, credit_grants;
  `);
}
