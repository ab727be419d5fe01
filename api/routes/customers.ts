import { listAwaitedInvoices } from '../../db/awaited-invoices.ts';
import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { insertCustomer, listCustomers, updateCustomer } from '../../db/customers.ts';
import { findPaymentMethod } from '../../db/payment-methods.ts';
import { listUnsettledQuotesOf } from '../../db/quotes.ts';
import { listWaitingOf } from '../../db/schedules.ts';
import { findTaxRate } from '../../db/tax-rates.ts';
import { findTestClock, listCustomerSubscriptions } from '../../db/test-clocks.ts';
import type { Customer } from '../../domain/customer.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { dunningWorkflowId, quoteWorkflowId } from '../../workflows/messages.ts';
import { addressFrom } from '../address-input.ts';
import { attach, describeAtGateway } from '../attach-payment-method.ts';
import type { RequestContext } from '../context.ts';
import { atClock, inRestingTimeOf, mustRest } from '../customer-clock.ts';
import { route } from '../define-route.ts';
import { customerOf, deleteCustomer, subscriptionsOf } from '../delete-customer.ts';
import { customerDiscountFrom, discountCustomer } from '../discount-commands.ts';
import { badRequest, notFound } from '../errors.ts';
import { clockToJoin } from '../join-test-clock.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentCustomers } from '../read-objects.ts';
import { retryTopUps } from '../retry-top-ups.ts';
import * as schemas from '../schemas/customers.ts';
import { deletedOf, expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import { z } from '../schemas/zod.ts';
import { isDelinquent } from '../subscription-commands.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Customers', answer: schemas.customer, kind: 'customer' } as const;
type Input = z.output<typeof schemas.customerUpdate>;

async function present(context: RequestContext, t: AccountTransaction, customer: Customer) {
  const [answer] = await presentCustomers(t, context.account, [customer]);
  if (answer === undefined) throw notFound('customer', customer.id);
  return answer;
}

/** @throws ApiError 400 for a live account or an unknown clock, 429 for one that is advancing */
async function onNewClock(context: RequestContext, clockId: string): Promise<RequestContext> {
  if (context.account.livemode) throw badRequest('Test clocks exist in test mode only.', 'test_clock');
  const clock = await withAccount(context.db, context.account.id, (t) => findTestClock(t, clockId));
  if (clock === null || clock.deleted) throw notFound('test clock', clockId, 'test_clock');
  mustRest(clock);
  return atClock(context, clock);
}

/** The fields of a request, in our own names; absent ones are absent. */
function fieldsOf(input: Input, metadata: Record<string, string>): Partial<Customer> {
  const { address } = input;
  return {
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.email === undefined ? {} : { email: input.email }),
    ...(input.phone === undefined ? {} : { phone: input.phone }),
    ...(input.description === undefined ? {} : { description: input.description }),
    ...(address === undefined ? {} : { address: address === null ? null : addressFrom(address) }),
    ...(input.tax_exempt === undefined ? {} : { taxExempt: input.tax_exempt ?? 'none' }),
    ...(input.default_tax_rates === undefined ? {} : { defaultTaxRateIds: input.default_tax_rates ?? [] }),
    ...(input.billing_timezone === undefined ? {} : { billingTimezone: input.billing_timezone }),
    ...(input.consolidated_invoicing === undefined ? {} : { consolidatedInvoicing: input.consolidated_invoicing }),
    ...(input.external_id === undefined ? {} : { externalId: input.external_id }),
    ...(input.metadata === undefined ? {} : { metadata: mergeMetadata(metadata, input.metadata) }),
  };
}

async function checkTaxRates(t: AccountTransaction, input: Input): Promise<void> {
  for (const [index, id] of (input.default_tax_rates ?? []).entries()) {
    if ((await findTaxRate(t, id)) === null) throw notFound('tax rate', id, `default_tax_rates[${index}]`);
  }
}

async function checkDefaultMethod(t: AccountTransaction, id: string, customerId: string): Promise<string> {
  const method = await findPaymentMethod(t, id);
  const param = 'invoice_settings[default_payment_method]';
  if (method === null) throw notFound('PaymentMethod', id, param);
  if (method.customerId !== customerId)
    throw badRequest('The customer does not have a payment method with this id. Attach it first.', param, 'resource_missing');
  return id;
}

export const customerRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/customers',
    summary: 'Create a customer',
    params: schemas.customerCreate,
    handle: async (asked, { params }) => {
      const context = params.test_clock === undefined ? asked : await onNewClock(asked, params.test_clock);
      const given = params.payment_method;
      const known = given === undefined ? null : await withAccount(context.db, context.account.id, (t) => findPaymentMethod(t, given));
      const attachment =
        given === undefined
          ? null
          : known === null
            ? { details: await describeAtGateway(context, given, 'payment_method') }
            : { own: given };
      return withAccount(context.db, context.account.id, async (t) => {
        await checkTaxRates(t, params);
        const customer: Customer = {
          id: context.newId(ID_PREFIX.customer),
          name: null,
          email: null,
          phone: null,
          description: null,
          address: null,
          currency: null,
          balance: 0,
          defaultPaymentMethodId: null,
          defaultTaxRateIds: [],
          taxExempt: 'none',
          billingTimezone: null,
          externalId: null,
          metadata: {},
          deleted: false,
          testClockId: context.testClock?.id ?? null,
          createdAt: context.now(),
          ...fieldsOf(params, {}),
        };
        await insertCustomer(t, customer);
        const method = attachment === null ? null : await attach(context, t, attachment, customer.id);
        const wanted = params.invoice_settings?.default_payment_method;
        // The gateway's reference may be named twice, once to attach and once as the default.
        const chosen =
          typeof wanted !== 'string'
            ? null
            : wanted === given && method !== null
              ? method.id
              : await checkDefaultMethod(t, wanted, customer.id);
        const created =
          chosen === null ? customer : ((await updateCustomer(t, customer.id, { defaultPaymentMethodId: chosen })) ?? customer);
        await tell(context, t, { type: 'customer.created', objectType: 'customer', after: created });
        const asked = customerDiscountFrom(params);
        if (asked !== null) await discountCustomer(context, t, customer.id, asked);
        return present(context, t, asked === null ? created : await customerOf(t, customer.id));
      });
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/customers/:id',
    summary: 'Retrieve a customer',
    params: z.strictObject({ expand }),
    answer: z.union([schemas.customer, deletedOf('customer')]),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => present(context, t, await customerOf(t, id))),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/customers/:id',
    summary: 'Update a customer',
    params: schemas.customerUpdate,
    handle: async (asked, { path: { id = '' }, params }) => {
      const context = await inRestingTimeOf(asked, { customerId: id });
      const wanted = params.invoice_settings?.default_payment_method;
      const { answer, waiting, joined, moving } = await withAccount(context.db, context.account.id, async (t) => {
        const before = await customerOf(t, id);
        if (before.deleted) throw notFound('customer', id);
        await checkTaxRates(t, params);
        const clock = params.test_clock === undefined ? null : await clockToJoin(context, t, before, params.test_clock);
        const patch: Partial<Customer> = {
          ...fieldsOf(params, before.metadata),
          ...(clock === null ? {} : { testClockId: clock.id }),
          ...(wanted === undefined ? {} : { defaultPaymentMethodId: wanted === null ? null : await checkDefaultMethod(t, wanted, id) }),
        };
        const after = (await updateCustomer(t, id, patch)) ?? before;
        await tell(context, t, { type: 'customer.updated', objectType: 'customer', before, after });
        const asked = customerDiscountFrom(params);
        if (asked !== null) await discountCustomer(context, t, id, asked);
        const live = typeof wanted === 'string' ? await subscriptionsOf(t, id) : [];
        const waitingSchedules = clock === null ? [] : await listWaitingOf(t, id);
        const moving =
          clock === null
            ? []
            : [
                ...(await listCustomerSubscriptions(t, id)),
                ...waitingSchedules.map((schedule) => schedule.subscriptionId),
                ...(await listUnsettledQuotesOf(t, id)).map(quoteWorkflowId),
                ...(await dueDatesOf(t, id)),
              ];
        return {
          answer: await present(context, t, asked === null ? after : await customerOf(t, id)),
          waiting: live.filter(isDelinquent),
          joined: clock,
          moving,
        };
      });
      // Told again when the request is repeated, so that one which died here can be finished; whoever has joined stays as it is.
      for (const workflowId of moving)
        if (joined !== null) await context.commands.joinClock(workflowId, { id: joined.id, at: joined.frozenTime });
      // Who could not pay may be able to now: what is being chased is tried at once.
      const news = { paymentMethodId: String(wanted), operationId: context.operationId };
      for (const { id: subscriptionId } of waiting) await context.commands.paymentMethodChanged(subscriptionId, news);
      if (typeof wanted === 'string') await retryTopUps(context, id);
      return answer;
    },
  }),
  route({
    ...one,
    method: 'delete',
    path: '/v1/customers/:id',
    summary: 'Delete a customer and cancel their subscriptions; invoices stay',
    params: z.strictObject({}),
    answer: deletedOf('customer'),
    handle: async (context, { path: { id = '' } }) => deleteCustomer(await inRestingTimeOf(context, { customerId: id }), id),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/customers',
    summary: 'List customers',
    params: schemas.customerList,
    answer: listOf(schemas.customer),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listCustomers(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...(params.email === undefined ? {} : { email: params.email }),
          ...(params.external_id === undefined ? {} : { externalId: params.external_id }),
          ...(params.test_clock === undefined ? {} : { testClockId: params.test_clock }),
        });
        return listAnswer('/v1/customers', await presentCustomers(t, context.account, page.items), page.hasMore);
      }),
  }),
];

/** The workflows that wait for the due dates of a customer's invoices of no subscription. */
const dueDatesOf = async (t: AccountTransaction, customerId: string): Promise<string[]> =>
  (await listAwaitedInvoices(t, customerId)).map(({ id }) => dunningWorkflowId(id));
