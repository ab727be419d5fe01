import type Stripe from 'stripe';

/** A subscription as Perennial shows it, with its pause. */
export type Paused = Stripe.Subscription & {
  pause: { resumes_at: number | null; starts_at: number; unused_time: string; billing_cycle_anchor: string | null } | null;
};

/** `POST /v1/subscriptions/:id/<verb>`, for what the official client has no word for. */
const post = (stripe: Stripe, id: string, verb: string, params: object, options: Stripe.RequestOptions): Promise<Paused> =>
  stripe.rawRequest('POST', `/v1/subscriptions/${id}/${verb}`, params as never, options as never) as unknown as Promise<Paused>;

export const pauseSubscription = (stripe: Stripe, id: string, params: object = {}, options: Stripe.RequestOptions = {}): Promise<Paused> =>
  post(stripe, id, 'pause', params, options);

export const reactivateSubscription = (
  stripe: Stripe,
  id: string,
  options: Stripe.RequestOptions = {},
  params: object = {},
): Promise<Paused> => post(stripe, id, 'reactivate', params, options);

/** Empty: in the way of its pause; the client's own `resume` sends Stripe's default too. */
export const resumeSubscription = (stripe: Stripe, id: string, params: Stripe.SubscriptionResumeParams = {}): Promise<Paused> =>
  stripe.subscriptions.resume(id, params) as unknown as Promise<Paused>;
