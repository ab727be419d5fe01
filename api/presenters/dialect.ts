import type Stripe from 'stripe';

/** As JSON carries it: the SDK turns decimal strings into `Decimal` objects on arrival. */
type Wire<T> = T extends Stripe.Decimal ? string : T extends readonly (infer E)[] ? Wire<E>[] : T;

/**
 * The fields `K` of Stripe's type `T`, as they cross the wire, so that the compiler holds our answers to the dialect. Nested objects that hold
 * decimals or narrower lists are given by the presenter with a `Dialect` of their own.
 */
export type Dialect<T, K extends keyof T> = { [P in K]: Wire<T[P]> };

export interface List<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  url: string;
}
