import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findCreditTopUp, insertCreditTopUp, listCreditTopUps, readCreditTopUpsOf, updateCreditTopUp } from '../../db/credit-top-ups.ts';
import { findCustomer, holdCustomer } from '../../db/customers.ts';
import { findThresholds } from '../../db/find-thresholds.ts';
import { findPaymentMethod } from '../../db/payment-methods.ts';
import type { CreditTopUp } from '../../domain/credits/low-credit.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import type { RequestContext } from '../context.ts';
import { inRestingTimeOf } from '../customer-clock.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { findScopePrices } from '../find-scope-prices.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentCreditTopUps } from '../read-objects.ts';
import { retryTopUps } from '../retry-top-ups.ts';
import * as schemas from '../schemas/credit-top-ups.ts';
import { creditScopeOf } from '../schemas/credits.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import { z } from '../schemas/zod.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Billing credits', answer: schemas.creditTopUp, kind: 'credit_top_up' } as const;
const LIST = '/v1/billing/credit_top_ups';

/** @throws ApiError 404 */
async function topUpOf(t: AccountTransaction, id: string): Promise<CreditTopUp> {
  const topUp = await findCreditTopUp(t, id);
  if (topUp === null) throw notFound('credit top-up', id);
  return topUp;
}

async function present(context: RequestContext, t: AccountTransaction, topUp: CreditTopUp) {
  const [answer] = await presentCreditTopUps(t, context.account, [topUp]);
  if (answer === undefined) throw notFound('credit top-up', topUp.id);
  return answer;
}

/** @throws ApiError 404 naming the parameter */
async function checkMethod(t: AccountTransaction, customerId: string, id: string | null | undefined): Promise<void> {
  if (id == null) return;
  if ((await findPaymentMethod(t, id))?.customerId !== customerId) throw notFound('PaymentMethod', id, 'payment_method');
}

/** What is low already is seen at once: each living subscription of the customer looks. A fact, so where telling fails the next use tells. */
async function haveLooked(context: RequestContext, { customerId, active }: CreditTopUp): Promise<void> {
  if (!active) return;
  const watched = await withAccount(context.db, context.account.id, (t) => findThresholds(t, [customerId]));
  for (const { id } of watched)
    await context.commands
      .usageReported(id)
      .catch((error: unknown) =>
        context.log.warn({ subscriptionId: id, error }, 'nobody could be told to look at the credit that is left'),
      );
}

export const creditTopUpRoutes = [
  route({
    ...one,
    method: 'post',
    path: LIST,
    summary: 'Buy credit whenever what a customer has left falls below a threshold',
    params: schemas.topUpCreate,
    handle: async (asked, { params }) => {
      const context = await inRestingTimeOf(asked, { customerId: params.customer });
      const { topUp, answer } = await withAccount(context.db, context.account.id, async (t) => {
        const { customer: customerId } = params;
        const id = context.newId(ID_PREFIX.creditTopUp);
        await holdCustomer(t, customerId);
        // The same request again, which died before it was answered.
        const known = await findCreditTopUp(t, id);
        if (known !== null) return { topUp: known, answer: await present(context, t, known) };
        const customer = await findCustomer(t, customerId);
        if (customer?.deleted ?? true) throw notFound('customer', customerId, 'customer');
        const scope = creditScopeOf(params.applicability_config.scope);
        await findScopePrices(t, scope, 'applicability_config[scope]');
        await checkMethod(t, customerId, params.payment_method);
        const { currency, value: amount } = params.amount.monetary;
        checkCurrency('threshold', params.threshold.monetary.currency, currency);
        if (customer?.currency != null) checkCurrency('amount', currency, customer.currency);
        if ((await readCreditTopUpsOf(t, customerId)).some((other) => other.currency === currency))
          throw badRequest(`The customer has a credit top-up in ${currency} already.`, 'customer', 'resource_already_exists');
        const now = context.now();
        const made: CreditTopUp = {
          ...{ id, customerId, name: params.name ?? null, currency, amount, scope },
          ...{ threshold: params.threshold.monetary.value, priority: params.priority, active: params.active },
          expiresAfter: params.expires_after
            ? { interval: params.expires_after.interval, intervalCount: params.expires_after.interval_count }
            : null,
          ...{ paymentMethodId: params.payment_method ?? null, maxPerMonth: params.max_per_month ?? null },
          ...{ count: 0, month: null, monthCount: 0, pendingInvoiceId: null, suspendedAt: null, latestInvoiceId: null },
          ...{ metadata: mergeMetadata({}, params.metadata), createdAt: now, updatedAt: now },
        };
        await insertCreditTopUp(t, made);
        await tell(context, t, { type: 'billing.credit_top_up.created', objectType: 'credit_top_up', after: made });
        return { topUp: made, answer: await present(context, t, made) };
      });
      await haveLooked(context, topUp);
      return answer;
    },
  }),
  route({
    ...one,
    method: 'get',
    path: `${LIST}/:id`,
    summary: 'Retrieve a credit top-up',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => present(context, t, await topUpOf(t, id))),
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id`,
    summary: 'Change a credit top-up; another payment method is tried at once where the last one was declined',
    params: schemas.topUpUpdate,
    handle: async (asked, { path: { id = '' }, params }) => {
      const { customerId } = await withAccount(asked.db, asked.account.id, (t) => topUpOf(t, id));
      const context = await inRestingTimeOf(asked, { customerId });
      const topUp = await withAccount(context.db, context.account.id, async (t) => {
        await holdCustomer(t, customerId);
        const before = await topUpOf(t, id);
        await checkMethod(t, customerId, params.payment_method);
        for (const name of ['threshold', 'amount'] as const)
          if (params[name] !== undefined) checkCurrency(name, params[name].monetary.currency, before.currency);
        const after: CreditTopUp = {
          ...before,
          threshold: params.threshold?.monetary.value ?? before.threshold,
          amount: params.amount?.monetary.value ?? before.amount,
          paymentMethodId: params.payment_method === undefined ? before.paymentMethodId : params.payment_method,
          maxPerMonth: params.max_per_month === undefined ? before.maxPerMonth : params.max_per_month,
          active: params.active ?? before.active,
          metadata: mergeMetadata(before.metadata, params.metadata),
        };
        if (JSON.stringify(after) === JSON.stringify(before)) return before;
        const written = { ...after, updatedAt: context.now() };
        await updateCreditTopUp(t, written);
        await tell(context, t, { type: 'billing.credit_top_up.updated', objectType: 'credit_top_up', before, after: written });
        return written;
      });
      if (params.payment_method != null) await retryTopUps(context, customerId);
      await haveLooked(context, topUp);
      return withAccount(context.db, context.account.id, async (t) => present(context, t, await topUpOf(t, id)));
    },
  }),
  route({
    ...one,
    method: 'get',
    path: LIST,
    summary: 'List credit top-ups',
    params: schemas.topUpList,
    answer: listOf(schemas.creditTopUp),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listCreditTopUps(t, {
          ...pageOf(params),
          ...(params.customer === undefined ? {} : { customerId: params.customer }),
        });
        return listAnswer(LIST, await presentCreditTopUps(t, context.account, page.items), page.hasMore);
      }),
  }),
];

/** @throws ApiError 400 */
function checkCurrency(name: 'threshold' | 'amount', given: string, expected: string): void {
  if (given !== expected) throw badRequest(`The currency must be ${expected}, and ${given} was given.`, `${name}[monetary][currency]`);
}
