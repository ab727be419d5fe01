import type { AccountTransaction } from './client.ts';

/** Which generation of its workflow decides for a subscription, named by itself or by an invoice of it; null where there is none. */
export async function findGeneration(
  t: AccountTransaction,
  about: { subscriptionId?: string | undefined; invoiceId?: string | undefined },
): Promise<number | null> {
  const { rows } = await t.run<{ generation: number }>(
    `select generation from subscriptions where account_id = $1
       and id = (select coalesce($2::text, (select subscription_id from invoices where account_id = $1 and id = $3::text)))`,
    [t.accountId, about.subscriptionId ?? null, about.invoiceId ?? null],
  );
  return rows[0]?.generation ?? null;
}

/**
 * Raises the generation of these subscriptions by one. Their customers stay locked until the transaction ends: a decision that is being made is waited for, and every later
 * one is made by the new generation.
 */
export async function nextGeneration(t: AccountTransaction, subscriptionIds: readonly string[]): Promise<void> {
  const about = [t.accountId, [...subscriptionIds]];
  await t.run(
    `select from customers where account_id = $1
       and id = any(array(select customer_id from subscriptions where account_id = $1 and id = any($2::text[]))) order by id for no key update`,
    about,
  );
  await t.run('update subscriptions set generation = generation + 1 where account_id = $1 and id = any($2::text[])', about);
}
