import type { Invoice } from '../invoicing/invoice.ts';
import type { PaymentAttempt } from '../payments/payment.ts';
import type { Instant } from '../time.ts';
import type { PaymentBehavior, Subscription } from './subscription.ts';

/** All that the books know of a subscription's workflow: enough to start it anew (`workflows/subscription/restore-state.ts`). */
export interface SubscriptionRecord {
  subscription: Subscription;
  /** How often its workflow was started from the books, and one. A decision of an older one is refused. */
  generation: number;
  /** The test clock of its customer, and where it stands; null: real time. */
  clock: { id: string; at: Instant } | null;
  /** Its draft and open invoices, and the one its pending update waits for; oldest first. */
  invoices: UnsettledInvoice[];
  /** Ids of the commands that were carried out last, oldest first, at most 20. */
  answered: string[];
}

export interface UnsettledInvoice
  extends Pick<
    Invoice,
    | 'id'
    | 'status'
    | 'taxStatus'
    | 'autoAdvance'
    | 'automaticallyFinalizesAt'
    | 'attempted'
    | 'nextPaymentAttempt'
    | 'dueDate'
    | 'createdAt'
    | 'finalizedAt'
    | 'currency'
    | 'subscriptionIds'
  > {
  /** How the command that made it wants its money asked for; null where no command did (a renewal). */
  paymentBehavior: PaymentBehavior | null;
  /** By number. */
  attempts: Pick<PaymentAttempt, 'number' | 'status' | 'createdAt' | 'resolvedAt'>[];
}
