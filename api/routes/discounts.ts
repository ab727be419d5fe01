import { withAccount } from '../../db/client.ts';
import { inRestingTimeOf } from '../customer-clock.ts';
import { route } from '../define-route.ts';
import { customerOf } from '../delete-customer.ts';
import { discountCustomer } from '../discount-commands.ts';
import { badRequest, notFound } from '../errors.ts';
import { inlinePrices } from '../inline-prices.ts';
import { presentDiscount } from '../presenters/discounts.ts';
import * as schemas from '../schemas/discounts.ts';
import { z } from '../schemas/zod.ts';
import { changeSubscription, subscriptionOf } from '../subscription-commands.ts';

const one = { tag: 'Discounts', answer: schemas.discount, kind: 'discount', method: 'delete', params: z.strictObject({}) } as const;

export const discountRoutes = [
  route({
    ...one,
    path: '/v1/customers/:id/discount',
    summary: "Take a customer's discount away",
    handle: async (asked, { path: { id = '' } }) => {
      const context = await inRestingTimeOf(asked, { customerId: id });
      return withAccount(context.db, context.account.id, async (t) => {
        const { discount, deleted } = await customerOf(t, id);
        if (deleted) throw notFound('customer', id);
        if (!discount) throw notFound('discount of customer', id);
        await discountCustomer(context, t, id, { wish: null });
        return presentDiscount({ ...discount, endedAt: context.now() });
      });
    },
  }),
  route({
    ...one,
    path: '/v1/subscriptions/:id/discount',
    summary: 'Take the discount of a subscription away',
    handle: async (context, { path: { id = '' } }) => {
      const { discounts } = await withAccount(context.db, context.account.id, (t) => subscriptionOf(t, id));
      const [discount] = discounts;
      if (discount === undefined) throw notFound('discount of subscription', id);
      if (discounts.length > 1) throw badRequest('This subscription has several discounts: update its discounts instead.', 'id');
      await changeSubscription(
        context,
        id,
        { discounts: [], prorationBehavior: 'none', paymentBehavior: 'allow_incomplete' },
        inlinePrices(context.newId),
      );
      return presentDiscount({ ...discount, endedAt: discount.start });
    },
  }),
];
