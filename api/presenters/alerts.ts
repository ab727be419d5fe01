import type Stripe from 'stripe';
import type { AlertTriggered, UsageAlert } from '../../domain/usage/alert.ts';
import type { Dialect } from './dialect.ts';

type AlertAnswer = Dialect<Stripe.Billing.Alert, 'id' | 'object' | 'alert_type' | 'livemode' | 'status' | 'title' | 'usage_threshold'>;

export const presentAlert = ({ id, title, meterId, customerId, gte, status }: UsageAlert, livemode: boolean): AlertAnswer => ({
  id,
  object: 'billing.alert',
  alert_type: 'usage_threshold',
  livemode,
  status,
  title,
  usage_threshold: {
    filters: customerId === null ? null : [{ customer: customerId, type: 'customer' }],
    gte,
    meter: meterId,
    recurrence: 'one_time',
  },
});

type TriggeredAnswer = Dialect<Stripe.Billing.AlertTriggered, 'object' | 'created' | 'customer' | 'livemode' | 'value'> & {
  alert: AlertAnswer;
};

export const presentAlertTriggered = ({ alert, customerId, value, createdAt }: AlertTriggered, livemode: boolean): TriggeredAnswer => ({
  object: 'billing.alert_triggered',
  alert: presentAlert(alert, livemode),
  created: createdAt,
  customer: customerId,
  livemode,
  value: Number(value),
});
