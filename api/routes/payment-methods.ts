import { withAccount } from '../../db/client.ts';
import { findCustomer, updateCustomer } from '../../db/customers.ts';
import { findPaymentMethod, insertPaymentMethod, listPaymentMethods, updatePaymentMethod } from '../../db/payment-methods.ts';
import { attach, describeAtGateway, newPaymentMethod } from '../attach-payment-method.ts';
import { inRestingTimeOf } from '../customer-clock.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentPaymentMethod } from '../presenters/payment-methods.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import * as schemas from '../schemas/payment-methods.ts';
import { z } from '../schemas/zod.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Payment methods', answer: schemas.paymentMethod, kind: 'payment_method' } as const;

export const paymentMethodRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/payment_methods',
    summary: "Create a payment method from the gateway's token",
    params: schemas.paymentMethodCreate,
    handle: async (context, { params }) => {
      const details = await describeAtGateway(context, params.card.token, 'card[token]');
      const method = newPaymentMethod(context, details, { customerId: null, metadata: mergeMetadata({}, params.metadata) });
      await withAccount(context.db, context.account.id, (t) => insertPaymentMethod(t, method));
      return presentPaymentMethod(method, context.account.livemode);
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/payment_methods/:id',
    summary: 'Retrieve a payment method',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const method = await findPaymentMethod(t, id);
        if (method === null) throw notFound('PaymentMethod', id);
        return presentPaymentMethod(method, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/payment_methods/:id',
    summary: "Update a payment method's metadata",
    params: schemas.paymentMethodUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const method = await findPaymentMethod(t, id);
        if (method === null) throw notFound('PaymentMethod', id);
        const updated = await updatePaymentMethod(t, id, { metadata: mergeMetadata(method.metadata, params.metadata) });
        return presentPaymentMethod(updated ?? method, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/payment_methods/:id/attach',
    summary: 'Attach a payment method, ours or a reference of the gateway, to a customer',
    params: schemas.paymentMethodAttach,
    handle: async (asked, { path: { id = '' }, params }) => {
      const context = await inRestingTimeOf(asked, { customerId: params.customer });
      const known = await withAccount(context.db, context.account.id, async (t) => {
        const customer = await findCustomer(t, params.customer);
        if (customer === null || customer.deleted) throw notFound('customer', params.customer, 'customer');
        return findPaymentMethod(t, id);
      });
      // A reference of the gateway (`pm_card_visa`) becomes a payment method of its own, as with Stripe.
      const attachment = known === null ? { details: await describeAtGateway(context, id, 'payment_method') } : { own: id };
      const method = await withAccount(context.db, context.account.id, (t) => attach(context, t, attachment, params.customer));
      return presentPaymentMethod(method, context.account.livemode);
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/payment_methods/:id/detach',
    summary: 'Detach a payment method; it can never be charged again',
    params: schemas.paymentMethodDetach,
    handle: async (asked, { path: { id = '' } }) => {
      const context = await inRestingTimeOf(asked, { paymentMethodId: id });
      return withAccount(context.db, context.account.id, async (t) => {
        const method = await findPaymentMethod(t, id);
        if (method === null) throw notFound('PaymentMethod', id);
        if (method.customerId === null)
          throw badRequest('The payment method you provided is not attached to a customer so detachment is impossible.', 'payment_method');
        const customer = await findCustomer(t, method.customerId);
        if (customer?.defaultPaymentMethodId === id) await updateCustomer(t, customer.id, { defaultPaymentMethodId: null });
        const after = (await updatePaymentMethod(t, id, { customerId: null })) ?? { ...method, customerId: null };
        await tell(context, t, { type: 'payment_method.detached', objectType: 'payment_method', before: method, after });
        return presentPaymentMethod(after, context.account.livemode);
      });
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/payment_methods',
    summary: "List a customer's payment methods",
    params: schemas.paymentMethodList,
    answer: listOf(schemas.paymentMethod),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listPaymentMethods(t, {
          ...pageOf(params),
          customerId: params.customer,
          ...(params.type === undefined ? {} : { type: params.type }),
        });
        return listAnswer(
          '/v1/payment_methods',
          page.items.map((method) => presentPaymentMethod(method, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
];
