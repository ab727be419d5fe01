/** How a failed payment is chased. Data of an account; `nextStep(policy, state)` in `next-step.ts` reads it. */
export interface DunningPolicy {
  /** Seconds from the failed attempt to each retry, in order. */
  retryDelays: number[];
  /** Decline codes after which retrying the same payment method is useless; wait for a new one until the last delay has passed. */
  hardDeclines: string[];
  /** Events emitted with each step; later mails. */
  terminalAction: 'cancel' | 'unpaid' | 'past_due';
}
