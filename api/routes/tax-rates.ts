import { withAccount } from '../../db/client.ts';
import { findTaxRate, insertTaxRate, listTaxRates, updateTaxRate } from '../../db/tax-rates.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import type { TaxRate } from '../../domain/tax/tax-rate.ts';
import { route } from '../define-route.ts';
import { notFound } from '../errors.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentTaxRate } from '../presenters/catalog.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import * as schemas from '../schemas/tax-rates.ts';
import { z } from '../schemas/zod.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Tax rates', answer: schemas.taxRate, kind: 'tax_rate' } as const;

export const taxRateRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/tax_rates',
    summary: 'Create a tax rate',
    params: schemas.taxRateCreate,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const rate: TaxRate = {
          id: context.newId(ID_PREFIX.taxRate),
          displayName: params.display_name,
          description: params.description ?? null,
          percentage: params.percentage,
          inclusive: params.inclusive,
          active: params.active ?? true,
          country: params.country?.toUpperCase() ?? null,
          state: params.state ?? null,
          jurisdiction: params.jurisdiction ?? null,
          taxType: params.tax_type ?? null,
          metadata: mergeMetadata({}, params.metadata),
          createdAt: context.now(),
        };
        await insertTaxRate(t, rate);
        await tell(context, t, { type: 'tax_rate.created', objectType: 'tax_rate', after: rate });
        return presentTaxRate(rate, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/tax_rates/:id',
    summary: 'Retrieve a tax rate',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const rate = await findTaxRate(t, id);
        if (rate === null) throw notFound('tax rate', id);
        return presentTaxRate(rate, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/tax_rates/:id',
    summary: 'Update a tax rate (never its percentage)',
    params: schemas.taxRateUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const present = await findTaxRate(t, id);
        if (present === null) throw notFound('tax rate', id);
        const updated = await updateTaxRate(t, id, {
          ...(params.display_name === undefined ? {} : { displayName: params.display_name }),
          ...(params.active === undefined ? {} : { active: params.active }),
          ...(params.description === undefined ? {} : { description: params.description }),
          ...(params.country === undefined ? {} : { country: params.country?.toUpperCase() ?? null }),
          ...(params.state === undefined ? {} : { state: params.state }),
          ...(params.jurisdiction === undefined ? {} : { jurisdiction: params.jurisdiction }),
          ...(params.tax_type === undefined ? {} : { taxType: params.tax_type }),
          metadata: mergeMetadata(present.metadata, params.metadata),
        });
        if (updated !== null) await tell(context, t, { type: 'tax_rate.updated', objectType: 'tax_rate', before: present, after: updated });
        return presentTaxRate(updated ?? present, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/tax_rates',
    summary: 'List tax rates',
    params: schemas.taxRateList,
    answer: listOf(schemas.taxRate),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listTaxRates(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...(params.active === undefined ? {} : { active: params.active }),
          ...(params.inclusive === undefined ? {} : { inclusive: params.inclusive }),
        });
        return listAnswer(
          '/v1/tax_rates',
          page.items.map((rate) => presentTaxRate(rate, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
];
