import type Stripe from 'stripe';
import { formatAmount } from '../../domain/money.ts';
import type { Character } from './cast.ts';
import type { Proof } from './prove.ts';
import type { Screen } from './screen.ts';

/** Everybody's invoices, oldest first. */
export type Ledger = { character: Character; status: string; invoices: Stripe.Invoice[] }[];

export const readLedger = (stripe: Stripe, cast: Character[]): Promise<Ledger> =>
  Promise.all(
    cast.map(async (character) => {
      const { status } = await stripe.subscriptions.retrieve(character.subscription);
      const invoices: Stripe.Invoice[] = [];
      for await (const invoice of stripe.invoices.list({ customer: character.customer, limit: 100 })) invoices.unshift(invoice);
      return { character, status, invoices };
    }),
  );

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const isOwed = ({ status }: Stripe.Invoice): boolean => status === 'paid' || status === 'open';

/** The last page: who has how many invoices, what was earned, and that nothing was charged twice. */
export function tellEnd(ledger: Ledger, proof: Proof, screen: Screen): void {
  screen.line('\nInvoices');
  const revenue = new Map<string, { invoices: number; invoiced: number; collected: number }>();
  for (const { character, status, invoices } of ledger) {
    const currency = invoices[0]?.currency ?? 'eur';
    const collected = invoices.reduce((all, invoice) => all + invoice.amount_paid, 0);
    const invoiced = invoices.filter(isOwed).reduce((all, { total }) => all + total, 0);
    const others = invoices.filter((invoice) => invoice.status !== 'paid').map((invoice) => invoice.status);
    const sum = revenue.get(currency) ?? { invoices: 0, invoiced: 0, collected: 0 };
    revenue.set(currency, {
      invoices: sum.invoices + invoices.length,
      invoiced: sum.invoiced + invoiced,
      collected: sum.collected + collected,
    });
    const rest = others.length > 0 ? `, ${others.length} ${[...new Set(others)].join('/')}` : '';
    const shown = `${count(invoices.length, 'invoice')}${rest}`;
    screen.line(
      `  ${character.name.padEnd(9)}${status.padEnd(10)}${shown.padEnd(28)}${formatAmount(collected, currency).padStart(16)} paid`,
    );
  }
  screen.line('\nRevenue');
  for (const [currency, { invoices, invoiced, collected }] of revenue) {
    const sums = `${formatAmount(invoiced, currency)} invoiced, ${formatAmount(collected, currency)} collected`;
    screen.line(`  ${currency.toUpperCase()}  ${count(invoices, 'invoice')}, ${sums}`);
  }
  screen.line('\nNothing charged twice');
  screen.line(`  ${count(proof.captures, 'capture')} at the gateway, ${proof.wrongInvoices.length} of them not the whole of one invoice`);
  screen.line(`  ${count(proof.stretches, 'stretch').replace('stretchs', 'stretches')} of time billed, ${proof.billedTwice} of them twice`);
  screen.line(`  ${count(proof.transactions, 'transaction')} in the journal, ${proof.unbalanced} out of balance`);
  for (const [currency, { booked, captured }] of Object.entries(proof.cash)) {
    screen.line(`  cash in the books ${formatAmount(booked, currency)}, money at the gateway ${formatAmount(captured, currency)}`);
  }
  screen.line(proof.holds ? '  ✔ proven' : `  ✘ NOT proven: ${proof.wrongInvoices.join(', ') || 'the books are wrong'}`);
}
