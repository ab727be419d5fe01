import type { Knex } from 'knex';

const PAYMENT_STATE = [
  'status',
  'amount_paid',
  'amount_credited',
  'amount_remaining',
  'attempt_count',
  'attempted',
  'next_payment_attempt',
  'auto_advance',
  'paid_at',
  'voided_at',
  'marked_uncollectible_at',
  'metadata',
];

/** What of a finalised invoice may still change. */
const keepFinalised = (payment: readonly string[]): string => `
  create or replace function forbid_change_of_finalised_invoice() returns trigger language plpgsql as $$
  declare
    payment_state text[] := array[${payment.map((column) => `'${column}'`).join(', ')}];
  begin
    if old.finalized_at is null then return coalesce(new, old); end if;
    if tg_op = 'DELETE' or (to_jsonb(old) - payment_state) is distinct from (to_jsonb(new) - payment_state) then
      raise exception 'the finalised invoice % cannot be changed', old.id using errcode = 'restrict_violation';
    end if;
    return new;
  end $$;`;

/** Invoices that are sent and paid by a due date. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions
      add column collection_method text not null default 'charge_automatically' check (collection_method in ('charge_automatically', 'send_invoice')),
      add column days_until_due integer check (days_until_due >= 0),
      add check ((collection_method = 'send_invoice') = (days_until_due is not null));
    alter table invoices
      add column collection_method text not null default 'charge_automatically' check (collection_method in ('charge_automatically', 'send_invoice')),
      add column due_date timestamptz,
      add column overdue_at timestamptz,
      add check ((collection_method = 'send_invoice') = (due_date is not null)),
      add check (overdue_at is null or overdue_at >= due_date);
    create index invoices_awaited_of_nobody on invoices (account_id, id) where subscription_id is null and status = 'open' and due_date is not null;
    ${keepFinalised([...PAYMENT_STATE, 'overdue_at'])}
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    ${keepFinalised(PAYMENT_STATE)}
    drop index invoices_awaited_of_nobody;
    alter table invoices drop column collection_method, drop column due_date, drop column overdue_at;
    alter table subscriptions drop column collection_method, drop column days_until_due;
  `);
}
