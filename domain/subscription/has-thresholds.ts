import type { Subscription } from './subscription.ts';

/** Whether what is used may be billed before its period ends. */
export const hasThresholds = ({ billingThresholds, items }: Pick<Subscription, 'billingThresholds' | 'items'>): boolean =>
  billingThresholds != null || items.some(({ usageGte }) => usageGte != null);
