import { listBalanceTransactions } from '../../db/balance-transactions.ts';
import { withAccount } from '../../db/client.ts';
import { findPaymentMethod, listPaymentMethods } from '../../db/payment-methods.ts';
import { route } from '../define-route.ts';
import { customerOf } from '../delete-customer.ts';
import { notFound } from '../errors.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentBalanceTransaction } from '../presenters/customers.ts';
import { presentPaymentMethod } from '../presenters/payment-methods.ts';
import * as schemas from '../schemas/customers.ts';
import { expand, listOf } from '../schemas/fields.ts';
import { paymentMethod } from '../schemas/payment-methods.ts';
import { z } from '../schemas/zod.ts';

/** What hangs on a customer: payment methods and movements of the balance, both read-only here. */
export const customerListRoutes = [
  route({
    tag: 'Customers',
    method: 'get',
    path: '/v1/customers/:id/payment_methods',
    summary: "List a customer's payment methods",
    params: schemas.customerPaymentMethods,
    answer: listOf(paymentMethod),
    kind: 'payment_method',
    list: true,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        await customerOf(t, id);
        const page = await listPaymentMethods(t, {
          ...pageOf(params),
          customerId: id,
          ...(params.type === undefined ? {} : { type: params.type }),
        });
        return listAnswer(
          `/v1/customers/${id}/payment_methods`,
          page.items.map((method) => presentPaymentMethod(method, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
  route({
    tag: 'Customers',
    method: 'get',
    path: '/v1/customers/:id/payment_methods/:method',
    summary: 'Retrieve one of the payment methods of a customer',
    params: z.strictObject({ expand }),
    answer: paymentMethod,
    kind: 'payment_method',
    handle: (context, { path: { id = '', method: methodId = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const method = await findPaymentMethod(t, methodId);
        if (method === null || method.customerId !== id) throw notFound('PaymentMethod', methodId);
        return presentPaymentMethod(method, context.account.livemode);
      }),
  }),
  route({
    tag: 'Customers',
    method: 'get',
    path: '/v1/customers/:id/balance_transactions',
    summary: "List the movements of a customer's balance",
    params: schemas.balanceTransactionList,
    answer: listOf(schemas.balanceTransaction),
    kind: 'customer_balance_transaction',
    list: true,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        await customerOf(t, id);
        const page = await listBalanceTransactions(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          customerId: id,
          ...(params.invoice === undefined ? {} : { invoiceId: params.invoice }),
        });
        return listAnswer(
          `/v1/customers/${id}/balance_transactions`,
          page.items.map((transaction) => presentBalanceTransaction(transaction, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
];
