import { type AccountTransaction, withAccount } from '../../db/client.ts';
import {
  findCreditGrant,
  findCreditTransaction,
  insertCreditGrant,
  insertCreditTransactions,
  listCreditGrants,
  listCreditTransactions,
  readCreditGrantsOf,
  updateCreditGrant,
} from '../../db/credits.ts';
import { findCustomer, holdCustomer } from '../../db/customers.ts';
import { writeJournal } from '../../db/journal.ts';
import { expireGrant, type GrantChange, grantCredit, moveExpiry, voidGrant } from '../../domain/credits/edit-grant.ts';
import type { CreditGrant } from '../../domain/credits/grant.ts';
import { sumCredits } from '../../domain/credits/sum-credits.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import type { Instant } from '../../domain/time.ts';
import type { RequestContext } from '../context.ts';
import { inRestingTimeOf, inTimeOf } from '../customer-clock.ts';
import { route } from '../define-route.ts';
import { notFound } from '../errors.ts';
import { findScopePrices } from '../find-scope-prices.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentCreditSummary } from '../presenters/credits.ts';
import { presentCreditGrants, presentCreditTransactions } from '../read-objects.ts';
import * as schemas from '../schemas/credits.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import { z } from '../schemas/zod.ts';
import { tell } from '../tell-event.ts';

const grants = { tag: 'Billing credits', answer: schemas.creditGrant, kind: 'credit_grant' } as const;
const movements = { tag: 'Billing credits', answer: schemas.creditTransaction, kind: 'credit_balance_transaction' } as const;

/** @throws ApiError 404 */
async function grantOf(t: AccountTransaction, id: string): Promise<CreditGrant> {
  const grant = await findCreditGrant(t, id);
  if (grant === null) throw notFound('credit grant', id);
  return grant;
}

async function present(context: RequestContext, t: AccountTransaction, grant: CreditGrant) {
  const [answer] = await presentCreditGrants(t, context.account, [grant]);
  if (answer === undefined) throw notFound('credit grant', grant.id);
  return answer;
}

/** @throws ApiError 404 */
async function mustExist(t: AccountTransaction, customerId: string): Promise<void> {
  if ((await findCustomer(t, customerId))?.deleted ?? true) throw notFound('customer', customerId, 'customer');
}

/** Writes what moves and is booked, and tells of it. */
async function write(context: RequestContext, t: AccountTransaction, { transactions, journal }: GrantChange): Promise<void> {
  await insertCreditTransactions(t, transactions);
  await writeJournal(t, journal);
  for (const after of transactions)
    await tell(context, t, { type: 'billing.credit_balance_transaction.created', objectType: 'credit_balance_transaction', after });
}

type Edit = (grant: CreditGrant, context: { asOf: Instant; newId: (prefix: string) => string }) => GrantChange;

/** Load -> decide -> write, with the customer's row held as every decision about their invoices holds it. @throws ApiError 404, and what `edit` refuses */
async function editGrant(asked: RequestContext, id: string, edit: Edit) {
  const { customerId } = await withAccount(asked.db, asked.account.id, (t) => grantOf(t, id));
  const context = await inRestingTimeOf(asked, { customerId });
  return withAccount(context.db, context.account.id, async (t) => {
    await holdCustomer(t, customerId);
    const before = await grantOf(t, id);
    const change = edit(before, { asOf: context.now(), newId: context.newId });
    await updateCreditGrant(t, change.grant);
    await write(context, t, change);
    await tell(context, t, { type: 'billing.credit_grant.updated', objectType: 'credit_grant', before, after: change.grant });
    return present(context, t, change.grant);
  });
}

export const creditRoutes = [
  route({
    ...grants,
    method: 'post',
    path: '/v1/billing/credit_grants',
    summary: 'Grant credit that pays for what is billed later',
    params: schemas.creditGrantCreate,
    handle: async (asked, { params }) => {
      const context = await inRestingTimeOf(asked, { customerId: params.customer });
      return withAccount(context.db, context.account.id, async (t) => {
        await holdCustomer(t, params.customer);
        await mustExist(t, params.customer);
        const scope = schemas.creditScopeOf(params.applicability_config.scope);
        await findScopePrices(t, scope, 'applicability_config[scope]');
        const { currency, value } = params.amount.monetary;
        const change = grantCredit(
          {
            ...{
              id: context.newId(ID_PREFIX.creditGrant),
              customerId: params.customer,
              name: params.name ?? null,
              category: params.category,
            },
            ...{ amount: value, currency, scope, priority: params.priority, metadata: mergeMetadata({}, params.metadata) },
            ...{ effectiveAt: params.effective_at ?? null, expiresAt: params.expires_at ?? null },
          },
          { asOf: context.now(), newId: context.newId },
        );
        await insertCreditGrant(t, change.grant);
        await tell(context, t, { type: 'billing.credit_grant.created', objectType: 'credit_grant', after: change.grant });
        await write(context, t, change);
        return present(context, t, change.grant);
      });
    },
  }),
  route({
    ...grants,
    method: 'get',
    path: '/v1/billing/credit_grants/:id',
    summary: 'Retrieve a credit grant',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => present(context, t, await grantOf(t, id))),
  }),
  route({
    ...grants,
    method: 'post',
    path: '/v1/billing/credit_grants/:id',
    summary: 'Move the expiry of a credit grant, or change its metadata',
    params: schemas.creditGrantUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      editGrant(context, id, (before, at) => {
        const moved =
          params.expires_at === undefined ? { grant: before, transactions: [], journal: [] } : moveExpiry(before, params.expires_at, at);
        const metadata = mergeMetadata(before.metadata, params.metadata);
        return { ...moved, grant: { ...moved.grant, metadata, updatedAt: at.asOf } };
      }),
  }),
  route({
    ...grants,
    method: 'post',
    path: '/v1/billing/credit_grants/:id/expire',
    summary: 'Let what is left of a credit grant expire now',
    params: schemas.creditGrantCommand,
    handle: (context, { path: { id = '' } }) => editGrant(context, id, expireGrant),
  }),
  route({
    ...grants,
    method: 'post',
    path: '/v1/billing/credit_grants/:id/void',
    summary: 'Void a credit grant of which nothing was used',
    params: schemas.creditGrantCommand,
    handle: (context, { path: { id = '' } }) => editGrant(context, id, voidGrant),
  }),
  route({
    ...grants,
    method: 'get',
    path: '/v1/billing/credit_grants',
    summary: 'List credit grants',
    params: schemas.creditGrantList,
    answer: listOf(schemas.creditGrant),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listCreditGrants(t, {
          ...pageOf(params),
          ...(params.customer === undefined ? {} : { customerId: params.customer }),
        });
        return listAnswer('/v1/billing/credit_grants', await presentCreditGrants(t, context.account, page.items), page.hasMore);
      }),
  }),
  route({
    tag: 'Billing credits',
    answer: schemas.creditSummary,
    kind: 'credit_balance_summary',
    method: 'get',
    path: '/v1/billing/credit_balance_summary',
    summary: 'What credit a customer has left',
    params: schemas.creditSummaryRetrieve,
    handle: async (asked, { params: { customer: customerId, filter } }) => {
      const context = await inTimeOf(asked, { customerId });
      return withAccount(context.db, context.account.id, async (t) => {
        await mustExist(t, customerId);
        const own = await readCreditGrantsOf(t, customerId);
        const { credit_grant: grantId, applicability_scope: given } = filter;
        if (grantId !== undefined && !own.some(({ id }) => id === grantId)) throw notFound('credit grant', grantId, 'filter[credit_grant]');
        const scope = schemas.creditScopeOf(given ?? {});
        const prices = await findScopePrices(t, scope, 'filter[applicability_scope]');
        const balances = sumCredits(own, grantId === undefined ? { scope } : { grantId }, prices, context.now());
        return presentCreditSummary(customerId, balances, context.account.livemode);
      });
    },
  }),
  route({
    ...movements,
    method: 'get',
    path: '/v1/billing/credit_balance_transactions',
    summary: 'List the movements of credit grants',
    params: schemas.creditTransactionList,
    answer: listOf(schemas.creditTransaction),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listCreditTransactions(t, {
          ...pageOf(params),
          ...(params.customer === undefined ? {} : { customerId: params.customer }),
          ...(params.credit_grant === undefined ? {} : { grantId: params.credit_grant }),
        });
        const answers = await presentCreditTransactions(t, context.account, page.items);
        return listAnswer('/v1/billing/credit_balance_transactions', answers, page.hasMore);
      }),
  }),
  route({
    ...movements,
    method: 'get',
    path: '/v1/billing/credit_balance_transactions/:id',
    summary: 'Retrieve a movement of a credit grant',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const moved = await findCreditTransaction(t, id);
        const [answer] = moved === null ? [] : await presentCreditTransactions(t, context.account, [moved]);
        if (answer === undefined) throw notFound('credit balance transaction', id);
        return answer;
      }),
  }),
];
