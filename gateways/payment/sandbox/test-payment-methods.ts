import { createHash } from 'node:crypto';
import { Refusal } from '../../../domain/errors.ts';
import type { PaymentMethodDetails, PaymentMethodSource } from '../payment-gateway.ts';

/** How a test payment method behaves when it is charged. */
export type Behaviour =
  | { does: 'succeed' }
  | { does: 'decline'; code: string }
  | { does: 'requireAction' }
  /** Declines the first `times` charges of a customer, then succeeds. */
  | { does: 'declineThenSucceed'; times: number; code: string }
  /** Bank debits: `processing` first; the end comes with time or with `settle`. */
  | { does: 'settleLater'; code: string | null }
  /** Goes wrong at the first call of a key, and behaves after it. */
  | { does: 'fault'; fault: 'timeout_after_capture' | 'error_after_capture' | 'timeout_before_capture' };

interface TestMethod {
  type: PaymentMethodDetails['type'];
  behaviour: Behaviour;
  card: { brand: string; number: string; country: string } | null;
}

const card = (brand: string, number: string, country = 'US', behaviour: Behaviour = { does: 'succeed' }): TestMethod => ({
  type: 'card',
  behaviour,
  card: { brand, number, country },
});
const declining = (number: string, code: string): TestMethod => card('visa', number, 'US', { does: 'decline', code });
const faulty = (number: string, fault: Extract<Behaviour, { does: 'fault' }>['fault']): TestMethod =>
  card('visa', number, 'US', { does: 'fault', fault });
const debit = (type: 'us_bank_account' | 'sepa_debit', code: string | null): TestMethod => ({
  type,
  behaviour: { does: 'settleLater', code },
  card: null,
});
const requireAction: Behaviour = { does: 'requireAction' };

/** By name without `pm_`. Names, numbers, countries and decline codes are those of Stripe's testing page; the `sandbox_` ones are ours. */
const METHODS: Readonly<Record<string, TestMethod>> = {
  card_visa: card('visa', '4242424242424242'),
  card_visa_debit: card('visa', '4000056655665556'),
  card_mastercard: card('mastercard', '5555555555554444'),
  card_mastercard_debit: card('mastercard', '5200828282828210'),
  card_mastercard_prepaid: card('mastercard', '5105105105105100'),
  card_amex: card('amex', '378282246310005'),
  card_discover: card('discover', '6011111111111117'),
  card_diners: card('diners', '3056930009020004'),
  card_jcb: card('jcb', '3566002020360505', 'JP'),
  card_unionpay: card('unionpay', '6200000000000005', 'CN'),

  card_us: card('visa', '4242424242424242'),
  card_br: card('visa', '4000000760000002', 'BR'),
  card_ca: card('visa', '4000001240000000', 'CA'),
  card_mx: card('visa', '4000004840008001', 'MX'),
  card_at: card('visa', '4000000400000008', 'AT'),
  card_be: card('visa', '4000000560000004', 'BE'),
  card_ch: card('visa', '4000007560000009', 'CH'),
  card_de: card('visa', '4000002760000016', 'DE'),
  card_es: card('visa', '4000007240000007', 'ES'),
  card_fr: card('visa', '4000002500000003', 'FR'),
  card_gb: card('visa', '4000008260000000', 'GB'),
  card_ie: card('visa', '4000003720000005', 'IE'),
  card_it: card('visa', '4000003800000008', 'IT'),
  card_nl: card('visa', '4000005280000002', 'NL'),
  card_pt: card('visa', '4000006200000007', 'PT'),
  card_se: card('visa', '4000007520000008', 'SE'),
  card_au: card('visa', '4000000360000006', 'AU'),
  card_jp: card('jcb', '3530111333300000', 'JP'),
  card_sg: card('visa', '4000007020000003', 'SG'),

  card_chargeDeclined: declining('4000000000000002', 'generic_decline'),
  card_chargeDeclinedInsufficientFunds: declining('4000000000009995', 'insufficient_funds'),
  card_chargeDeclinedLostCard: declining('4000000000009987', 'lost_card'),
  card_chargeDeclinedStolenCard: declining('4000000000009979', 'stolen_card'),
  card_chargeDeclinedExpiredCard: declining('4000000000000069', 'expired_card'),
  card_chargeDeclinedIncorrectCvc: declining('4000000000000127', 'incorrect_cvc'),
  card_chargeDeclinedProcessingError: declining('4000000000000119', 'processing_error'),
  card_chargeDeclinedVelocityLimitExceeded: declining('4000000000006975', 'card_velocity_exceeded'),
  card_chargeDeclinedFraudulent: declining('4100000000000019', 'fraudulent'),
  card_chargeCustomerFail: declining('4000000000000341', 'generic_decline'),

  card_authenticationRequired: card('visa', '4000002760003184', 'DE', requireAction),
  card_authenticationRequiredOnSetup: card('visa', '4000002500003155', 'FR', requireAction),
  card_threeDSecure2Required: card('visa', '4000000000003220', 'US', requireAction),

  usBankAccount_success: debit('us_bank_account', null),
  usBankAccount_insufficientFunds: debit('us_bank_account', 'insufficient_funds'),
  usBankAccount_accountClosed: debit('us_bank_account', 'account_closed'),
  usBankAccount_noAccount: debit('us_bank_account', 'no_account'),
  sepaDebit_success: debit('sepa_debit', null),
  sepaDebit_failed: debit('sepa_debit', 'generic_decline'),

  sandbox_timeoutAfterCapture: faulty('4242424242424242', 'timeout_after_capture'),
  sandbox_errorAfterCapture: faulty('4242424242424242', 'error_after_capture'),
  sandbox_timeoutBeforeCapture: faulty('4242424242424242', 'timeout_before_capture'),
};

/** Stripe's names that say the brand as well, and short ones. */
const ALIASES: Readonly<Record<string, string>> = {
  card_radarBlock: 'card_chargeDeclinedFraudulent',
  sepaDebit: 'sepaDebit_success',
  usBankAccount: 'usBankAccount_success',
};

const NAME_BY_NUMBER: ReadonlyMap<string, string> = new Map(
  Object.entries(METHODS)
    .filter(([name]) => name.startsWith('card_'))
    .flatMap(([name, method]) => (method.card ? [[method.card.number, `pm_${name}`] as const] : []))
    .reverse(),
);

const DECLINE_THEN_SUCCEED = /^card_declineThenSucceed_([1-9]\d?)$/;

function find(reference: string): { reference: string; method: TestMethod } | null {
  const match = /^(pm|tok)_([A-Za-z0-9_]{1,80})$/.exec(reference);
  if (!match?.[2]) return null;
  const given = match[1] === 'tok' && !/^(card|usBankAccount|sepaDebit|sandbox)/.test(match[2]) ? `card_${match[2]}` : match[2];
  const plain = given.replace(/^card_visa_(?=chargeDeclined)/, 'card_');
  const name = Object.hasOwn(ALIASES, plain) ? (ALIASES[plain] ?? plain) : plain;
  const times = DECLINE_THEN_SUCCEED.exec(name)?.[1];
  if (times !== undefined) {
    const behaviour: Behaviour = { does: 'declineThenSucceed', times: Number(times), code: 'insufficient_funds' };
    return { reference: `pm_${name}`, method: card('visa', '4242424242424242', 'US', behaviour) };
  }
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  return method ? { reference: `pm_${name}`, method } : null;
}

/** How a reference behaves; null where there is no such payment method. */
export const behaviourOf = (reference: string): Behaviour | null => find(reference)?.method.behaviour ?? null;

/** Everything printed on the card but its number. A year far away, so that no test fails on a birthday. @throws Refusal resource_missing, parameter_invalid */
export function describe(source: PaymentMethodSource): PaymentMethodDetails {
  if ('card' in source) return describeNumber(source.card);
  const found = find(source.reference);
  if (!found) throw new Refusal('resource_missing', `No such PaymentMethod: '${source.reference}'`, 'payment_method');
  return details(found.reference, found.method, 12, 2044);
}

function describeNumber(given: { number: string; expMonth: number; expYear: number }): PaymentMethodDetails {
  const number = given.number.replaceAll(/[ -]/g, '');
  if (!/^\d{12,19}$/.test(number) || !passesLuhn(number)) {
    throw new Refusal('parameter_invalid', 'Your card number is incorrect.', 'card[number]');
  }
  if (!Number.isInteger(given.expMonth) || given.expMonth < 1 || given.expMonth > 12) {
    throw new Refusal('parameter_invalid', "Your card's expiration month is invalid.", 'card[exp_month]');
  }
  if (!Number.isInteger(given.expYear) || given.expYear < 2000 || given.expYear > 2100) {
    throw new Refusal('parameter_invalid', "Your card's expiration year is invalid.", 'card[exp_year]');
  }
  const found = find(NAME_BY_NUMBER.get(number) ?? '');
  if (!found)
    throw new Refusal('parameter_invalid', 'The sandbox takes test card numbers only, for example 4242424242424242.', 'card[number]');
  return details(found.reference, found.method, given.expMonth, given.expYear);
}

function details(reference: string, method: TestMethod, expMonth: number, expYear: number): PaymentMethodDetails {
  return {
    type: method.type,
    reference,
    card: method.card && {
      brand: method.card.brand,
      last4: method.card.number.slice(-4),
      expMonth,
      expYear,
      country: method.card.country,
      fingerprint: createHash('sha256').update(`sandbox:${method.card.number}`).digest('base64url').slice(0, 16),
    },
  };
}

function passesLuhn(number: string): boolean {
  let total = 0;
  for (let index = 0; index < number.length; index += 1) {
    const digit = Number(number[number.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    total += doubled > 9 ? doubled - 9 : doubled;
  }
  return total % 10 === 0;
}

/** Stripe's words for its decline codes, where we know them. */
export function declineMessage(code: string): string {
  const messages: Readonly<Record<string, string>> = {
    insufficient_funds: 'Your card has insufficient funds.',
    expired_card: 'Your card has expired.',
    incorrect_cvc: "Your card's security code is incorrect.",
    processing_error: 'An error occurred while processing your card. Try again in a little bit.',
    canceled: 'The payment was canceled before it was completed.',
    account_closed: 'The bank account has been closed.',
    no_account: 'The bank account could not be located.',
  };
  return messages[code] ?? 'Your card was declined.';
}
