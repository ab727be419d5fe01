/** Every event that a decision can tell of. Each has words of its own in `describe-event.ts`: one without does not compile, or fails `test/domain/timeline.test.ts`. */
export const EVENT_TYPES = [
  'billing.credit_balance_transaction.created',
  'billing.credit_grant.created',
  'billing.credit_grant.updated',
  'billing.credit_top_up.canceled',
  'billing.credit_top_up.failed',
  'billing.credit_top_up.succeeded',
  'billing.credit_top_up.triggered',
  'customer.discount.created',
  'customer.discount.deleted',
  'customer.discount.updated',
  'customer.subscription.created',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.pending_update_applied',
  'customer.subscription.pending_update_expired',
  'customer.subscription.resumed',
  'customer.subscription.scheduled_change.applied',
  'customer.subscription.scheduled_change.canceled',
  'customer.subscription.scheduled_change.created',
  'customer.subscription.scheduled_change.failed',
  'customer.subscription.scheduled_change.replaced',
  'customer.subscription.scheduled_change.updated',
  'customer.subscription.trial_will_end',
  'customer.subscription.updated',
  'invoice.created',
  'invoice.deleted',
  'invoice.finalized',
  'invoice.marked_uncollectible',
  'invoice.overdue',
  'invoice.paid',
  'invoice.payment_action_required',
  'invoice.payment_failed',
  'invoice.payment_succeeded',
  'invoice.sent',
  'invoice.updated',
  'invoice.voided',
  'invoiceitem.created',
  'invoiceitem.deleted',
  'invoiceitem.updated',
  'payment_attempt.credited_to_balance',
  'quote.accepted',
  'subscription_schedule.aborted',
  'subscription_schedule.canceled',
  'subscription_schedule.completed',
  'subscription_schedule.created',
  'subscription_schedule.expiring',
  'subscription_schedule.released',
  'subscription_schedule.updated',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** What follows the prefix in the names of its events, where no further dot does. */
export type Ending<Prefix extends string, T = EventType> = T extends `${Prefix}.${infer E}`
  ? E extends `${string}.${string}`
    ? never
    : E
  : never;
