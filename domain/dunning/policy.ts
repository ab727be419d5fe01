/** How a failed payment is chased. Data of an account; `nextStep(policy, state)` in `next-step.ts` reads it. */
export interface DunningPolicy {
  /** Seconds from the failed attempt to each retry, in order. */
  retryDelays: number[];
  /** Decline codes after which retrying the same payment method is useless; wait for a new one until the last delay has passed. */
  hardDeclines: string[];
  /** Events emitted with each step; later mails. */
  terminalAction: TerminalAction;
  /** Of invoices that were sent: seconds from the due date to the terminal action. Absent: `DEFAULT_OVERDUE`. */
  overdue?: { delay: number; terminalAction: TerminalAction };
}

type TerminalAction = 'cancel' | 'unpaid' | 'past_due';

const DAY = 86_400;

/** Three retries within about two weeks, as Stripe's classic schedule has it; then the subscription is canceled. */
export const DEFAULT_DUNNING_POLICY: DunningPolicy = {
  retryDelays: [3 * DAY, 5 * DAY, 7 * DAY],
  hardDeclines: [
    'lost_card',
    'stolen_card',
    'pickup_card',
    'expired_card',
    'incorrect_number',
    'invalid_account',
    'restricted_card',
    'revocation_of_all_authorizations',
    'revocation_of_authorization',
    'card_not_supported',
    'authentication_required',
  ],
  terminalAction: 'cancel',
};

/** Whoever is sent invoices is talked to: without another wish, the subscription stays past due. */
export const DEFAULT_OVERDUE = { delay: 30 * DAY, terminalAction: 'past_due' } as const;

/** What happens to the subscription when an invoice is given up. */
export const terminalAction = (policy: DunningPolicy, { dueDate }: { dueDate: number | null }): TerminalAction =>
  dueDate === null ? policy.terminalAction : (policy.overdue ?? DEFAULT_OVERDUE).terminalAction;
