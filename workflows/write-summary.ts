import type { Instant } from '../domain/time.ts';

/**
 * Words for the operator's event list. `domain/money.ts` formats amounts everywhere else, but brings a decimal library and every currency along,
 * which each cached workflow would hold; a test keeps this table equal to the domain's.
 */
const NO_DECIMALS = 'bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf';
const THREE_DECIMALS = 'bhd iqd jod kwd lyd omr tnd';
const FOUR_DECIMALS = 'clf uyw';

export function money(amount: number, currency: string): string {
  const decimals = NO_DECIMALS.includes(currency) ? 0 : THREE_DECIMALS.includes(currency) ? 3 : FOUR_DECIMALS.includes(currency) ? 4 : 2;
  const digits = String(Math.abs(amount)).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const sign = amount < 0 ? '-' : '';
  return `${currency.toUpperCase()} ${sign}${whole}${decimals > 0 ? `.${digits.slice(-decimals)}` : ''}`;
}

/** "2027-03-01", UTC. */
export const day = (at: Instant): string => new Date(at * 1000).toISOString().slice(0, 10);
/** "2027-03-01 09:30 UTC" */
export const moment = (at: Instant): string => `${new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
