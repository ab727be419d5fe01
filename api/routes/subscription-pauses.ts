import { route } from '../define-route.ts';
import {
  pauseFrom,
  pauseSubscription,
  previewOf,
  reactivateSubscription,
  resumeSubscription,
  resumptionFrom,
} from '../pause-subscription.ts';
import { pinsOf } from '../preview-token.ts';
import * as schemas from '../schemas/subscriptions.ts';
import { describeAndPresent } from '../subscription-commands.ts';

const one = { tag: 'Subscriptions', answer: schemas.subscription, kind: 'subscription' } as const;

export const subscriptionPauseRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/subscriptions/:id/pause',
    summary: 'Pause a subscription: nothing is billed until it is resumed',
    params: schemas.subscriptionPause,
    handle: async (context, { path: { id = '' }, params }) => {
      await pauseSubscription(context, id, pauseFrom(params, pinsOf(params, context)));
      return describeAndPresent(context, id, () => ({}));
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/subscriptions/:id/resume',
    summary: 'Resume a paused subscription, or take back a pause that has not begun',
    params: schemas.subscriptionResume,
    handle: async (context, { path: { id = '' }, params }) => {
      await resumeSubscription(context, id, resumptionFrom(params, pinsOf(params, context)));
      return describeAndPresent(context, id, () => ({}));
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/subscriptions/:id/reactivate',
    summary: 'Bring a canceled subscription back, with its items and its anchor',
    params: schemas.subscriptionReactivate,
    handle: async (context, { path: { id = '' }, params }) => {
      await reactivateSubscription(context, id, previewOf(pinsOf(params, context)));
      return describeAndPresent(context, id, () => ({}));
    },
  }),
];
