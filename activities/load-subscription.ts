import { withAccount } from '../db/client.ts';
import { readSubscriptionRecords } from '../db/subscription-records.ts';
import { Refusal } from '../domain/errors.ts';
import type { Deps } from './deps.ts';
import { subscriptionFacts } from './facts.ts';
import type { Activities } from './index.ts';

/** Reads what a workflow must know to go on with a subscription whose workflow has gone. @throws Refusal resource_missing */
export const loadSubscription =
  (deps: Deps): Activities['loadSubscription'] =>
  ({ accountId, subscriptionId }) =>
    withAccount(deps.db, accountId, async (t) => {
      const [record] = await readSubscriptionRecords(t, [subscriptionId]);
      if (!record) throw new Refusal('resource_missing', `No such subscription: '${subscriptionId}'`, 'subscription');
      const { subscription } = record;
      const { reason } = subscription.cancellationDetails;
      const silent = { description: null, externalId: null, metadata: {}, cancellationDetails: { comment: null, feedback: null, reason } };
      return { facts: subscriptionFacts(subscription), record: { ...record, subscription: { ...subscription, ...silent, forfeited: [] } } };
    });
