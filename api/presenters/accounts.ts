import type Stripe from 'stripe';
import type { Account, LateUsage } from '../../domain/account.ts';
import { DEFAULT_OVERDUE } from '../../domain/dunning/policy.ts';
import type { Dialect } from './dialect.ts';

type AccountAnswer = Dialect<
  Stripe.Account,
  'id' | 'object' | 'charges_enabled' | 'details_submitted' | 'email' | 'payouts_enabled' | 'type'
> & {
  name: string;
  livemode: boolean;
  billing_timezone: string;
  proration_basis: Account['prorationBasis'];
  default_tax_rates: string[];
  tax_calculator: string;
  invoice_number_prefix: string;
  invoice_grace_seconds: number;
  late_usage: LateUsage;
  dunning_policy: {
    retry_delays: number[];
    hard_declines: string[];
    terminal_action: 'cancel' | 'unpaid' | 'past_due';
    overdue: { delay: number; terminal_action: 'cancel' | 'unpaid' | 'past_due' };
  };
};

export function presentAccount(account: Account): AccountAnswer {
  const overdue = account.dunningPolicy.overdue ?? DEFAULT_OVERDUE;
  return {
    id: account.id,
    object: 'account',
    charges_enabled: true,
    details_submitted: true,
    email: account.seller.email,
    payouts_enabled: false,
    type: 'standard',
    name: account.name,
    livemode: account.livemode,
    billing_timezone: account.billingTimezone,
    proration_basis: account.prorationBasis,
    default_tax_rates: account.defaultTaxRateIds,
    tax_calculator: account.taxCalculator,
    invoice_number_prefix: account.invoiceNumberPrefix,
    invoice_grace_seconds: account.invoiceGraceSeconds,
    late_usage: account.lateUsage ?? 'next_invoice',
    dunning_policy: {
      retry_delays: account.dunningPolicy.retryDelays,
      hard_declines: account.dunningPolicy.hardDeclines,
      terminal_action: account.dunningPolicy.terminalAction,
      overdue: { delay: overdue.delay, terminal_action: overdue.terminalAction },
    },
  };
}
