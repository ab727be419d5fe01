import type { SubscriptionFacts } from '../../activities/index.ts';
import type { Instant } from '../../domain/time.ts';

/** All that one run hands to the next: plain JSON, about 1 kB, versioned (`migrateState`). */
export interface SubscriptionState {
  v: 1;
  accountId: string;
  subscriptionId: string;
  customerId: string;
  clock: { kind: 'real' } | { kind: 'frozen'; id: string; at: Instant };
  facts: SubscriptionFacts;
  /** Invoices whose dunning is still running. */
  dunning: string[];
  /** Operation ids answered lately, oldest first, at most 20: a repeat is sent to Postgres, which holds its answer. */
  answered: string[];
  /** Invoice that waits for tax or for an unresolved payment, retried by the loop; null normally. */
  parked: { invoiceId: string; step: 'calculate_tax' | 'resolve_payment'; since: Instant; error: string } | null;
}
