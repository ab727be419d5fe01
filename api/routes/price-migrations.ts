import { type AccountTransaction, withAccount } from '../../db/client.ts';
import {
  countMigrated,
  findPriceMigration,
  forgetUnanswered,
  insertPriceMigration,
  listMigrated,
  listPriceMigrations,
  updatePriceMigration,
} from '../../db/price-migrations.ts';
import { findPrice } from '../../db/prices.ts';
import type { Price } from '../../domain/catalog/price.ts';
import { Refusal } from '../../domain/errors.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { checkMigration, type PriceMigration } from '../../domain/subscription/migrate-price.ts';
import type { RequestContext } from '../context.ts';
import { route } from '../define-route.ts';
import { notFound } from '../errors.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentMigrated, presentPriceMigration } from '../presenters/price-migrations.ts';
import { previewMigration } from '../price-migration-preview.ts';
import { expand, listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/price-migrations.ts';
import { z } from '../schemas/zod.ts';

const one = { tag: 'Price migrations', answer: schemas.priceMigration, kind: 'price_migration' } as const;
const LIST = '/v1/price_migrations';

async function priceOf(t: AccountTransaction, id: string, param: string): Promise<Price> {
  const price = await findPrice(t, id);
  if (price === null) throw notFound('price', id, param);
  return price;
}

async function migrationOf(t: AccountTransaction, id: string, { lock = false } = {}): Promise<PriceMigration> {
  const migration = await findPriceMigration(t, id, { lock });
  if (migration === null) throw notFound('price migration', id);
  return migration;
}

const present = async ({ account }: RequestContext, t: AccountTransaction, migration: PriceMigration) =>
  presentPriceMigration(migration, await countMigrated(t, migration.id), account.livemode);

/** Writes that what has not taken effect is to be taken back. @throws Refusal transition_not_allowed where nothing is left */
async function turnRound(t: AccountTransaction, id: string): Promise<PriceMigration> {
  const migration = await migrationOf(t, id, { lock: true });
  if (migration.status === 'canceling') return migration;
  if (migration.status === 'completed' || migration.status === 'canceled') {
    const left = (await countMigrated(t, id)).some(({ status, code }) => status === 'scheduled' || code === 'unavailable');
    if (!left) throw new Refusal('transition_not_allowed', `Nothing of the price migration ${id} is left to be taken back.`);
    await forgetUnanswered(t, id);
  }
  return (await updatePriceMigration(t, id, { status: 'canceling', canceledAt: null })) ?? migration;
}

export const priceMigrationRoutes = [
  route({
    ...one,
    method: 'post',
    path: LIST,
    summary: 'Move the subscriptions of one price to another, or preview that',
    params: schemas.priceMigrationCreate,
    answer: schemas.priceMigrationAnswer,
    handle: async (context, { params }) => {
      const { filters } = params;
      const migration: PriceMigration = {
        id: context.newId(ID_PREFIX.priceMigration),
        fromPriceId: params.from_price,
        toPriceId: params.to_price,
        effectiveAt: params.effective_at,
        prorationBehavior: params.proration_behavior,
        filters: {
          customerCreatedBefore: filters?.customer_created_before ?? null,
          metadata: filters?.metadata ?? null,
          limit: filters?.limit ?? null,
        },
        status: 'pending',
        actor: context.actor,
        createdAt: context.now(),
        completedAt: null,
        canceledAt: null,
      };
      const answer = await withAccount(context.db, context.account.id, async (t) => {
        const prices: [Price, Price] = [await priceOf(t, params.from_price, 'from_price'), await priceOf(t, params.to_price, 'to_price')];
        checkMigration(...prices);
        if (params.dry_run) return previewMigration(context, t, migration, prices);
        await insertPriceMigration(t, migration);
        return present(context, t, migration);
      });
      if (!params.dry_run) {
        context.log.info({ migrationId: migration.id, operationId: context.operationId }, 'migratePrice');
        await context.commands.migratePrice({ accountId: context.account.id, migrationId: migration.id });
      }
      return answer;
    },
  }),
  route({
    ...one,
    method: 'get',
    path: LIST,
    summary: 'List price migrations',
    params: schemas.priceMigrationList,
    answer: listOf(schemas.priceMigration),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listPriceMigrations(t, {
          ...pageOf(params),
          ...(params.created === undefined ? {} : { created: params.created }),
          ...(params.status === undefined ? {} : { status: params.status }),
        });
        const data = [];
        for (const migration of page.items) data.push(await present(context, t, migration));
        return listAnswer(LIST, data, page.hasMore);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: `${LIST}/:id`,
    summary: 'Retrieve a price migration, with how far it is',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => present(context, t, await migrationOf(t, id))),
  }),
  route({
    ...one,
    method: 'get',
    path: `${LIST}/:id/subscriptions`,
    summary: 'List the subscriptions of a price migration, and what became of each',
    params: schemas.migratedList,
    answer: listOf(schemas.migratedSubscription),
    kind: 'price_migration_subscription',
    list: true,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        await migrationOf(t, id);
        const page = await listMigrated(t, {
          ...pageOf(params),
          migrationId: id,
          ...(params.status === undefined ? {} : { status: params.status }),
        });
        return listAnswer(`${LIST}/${id}/subscriptions`, page.items.map(presentMigrated), page.hasMore);
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id/cancel`,
    summary: 'Take back whatever of a price migration has not taken effect',
    params: z.strictObject({ expand }),
    handle: async (context, { path: { id = '' } }) => {
      const answer = await withAccount(context.db, context.account.id, async (t) => present(context, t, await turnRound(t, id)));
      context.log.info({ migrationId: id, operationId: context.operationId }, 'cancel a price migration');
      await context.commands.migratePrice({ accountId: context.account.id, migrationId: id });
      return answer;
    },
  }),
];
