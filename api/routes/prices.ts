import { isDeepStrictEqual } from 'node:util';
import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findPrice, insertPrice, listPrices, updatePrice } from '../../db/prices.ts';
import { findProduct, insertProduct } from '../../db/products.ts';
import { findTaxRate } from '../../db/tax-rates.ts';
import type { Price, PriceAmounts, Product } from '../../domain/catalog/price.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { checkInput } from '../check-input.ts';
import { checkMeter } from '../check-meter.ts';
import type { RequestContext } from '../context.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { findScopePrices } from '../find-scope-prices.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentPrice } from '../presenters/catalog.ts';
import { currencyOptionsFrom, newPrice } from '../price-input.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import { addedCurrencyOptions, type CurrencyOptions } from '../schemas/price-amounts.ts';
import * as schemas from '../schemas/prices.ts';
import { z } from '../schemas/zod.ts';
import { tell } from '../tell-event.ts';

/** A lookup key names one active price; `transfer` takes it from the one that has it. @throws ApiError 400 when it is taken */
async function freeLookupKey(
  t: AccountTransaction,
  lookupKey: string | null | undefined,
  transfer: boolean,
  except: string | null,
): Promise<void> {
  if (lookupKey === undefined || lookupKey === null) return;
  const { items } = await listPrices(t, { limit: 1, lookupKeys: [lookupKey] });
  const holder = items[0];
  if (holder === undefined || holder.id === except) return;
  if (!transfer) {
    throw badRequest(
      `A price (\`${holder.id}\`) already uses that lookup key. Send transfer_lookup_key to move it.`,
      'lookup_key',
      'resource_already_exists',
    );
  }
  await updatePrice(t, holder.id, { lookupKey: null });
}

/** @throws ApiError 400 for a component that is no product, or a tax rate that there is not */
async function checkBundle(t: AccountTransaction, { bundle }: Price): Promise<void> {
  for (const [index, { productId, taxRateIds = [] }] of (bundle ?? []).entries()) {
    if ((await findProduct(t, productId)) === null) throw notFound('product', productId, `bundle[${index}][product]`);
    for (const [place, id] of taxRateIds.entries())
      if ((await findTaxRate(t, id)) === null) throw notFound('tax rate', id, `bundle[${index}][tax_rates][${place}]`);
  }
}

const one = { tag: 'Prices', answer: schemas.price, kind: 'price' } as const;

export const priceRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/prices',
    summary: 'Create a price',
    params: schemas.priceCreate,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const product =
          params.product_data === undefined
            ? await findProduct(t, params.product ?? '')
            : await productFrom(context, t, params.product_data);
        if (product === null) throw notFound('product', params.product ?? '', 'product');
        await freeLookupKey(t, params.lookup_key, params.transfer_lookup_key, null);
        const price = newPrice(product.id, params, context);
        await checkMeter(t, price);
        await checkBundle(t, price);
        if (price.creditGrant != null) await findScopePrices(t, price.creditGrant.scope, 'credit_grant[applicability_config][scope]');
        await insertPrice(t, price);
        await tell(context, t, { type: 'price.created', objectType: 'price', after: price });
        return presentPrice(price, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/prices/:id',
    summary: 'Retrieve a price',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const price = await findPrice(t, id);
        if (price === null) throw notFound('price', id);
        return presentPrice(price, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/prices/:id',
    summary: 'Update a price (never its amounts, cycle or product; currencies may be added)',
    params: schemas.priceUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const present = await findPrice(t, id, true);
        if (present === null) throw notFound('price', id);
        if (params.tax_behavior !== undefined && present.taxBehavior !== 'unspecified' && present.taxBehavior !== params.tax_behavior) {
          throw badRequest('The tax behavior of a price cannot be changed once it is specified.', 'tax_behavior');
        }
        await freeLookupKey(t, params.lookup_key, params.transfer_lookup_key, id);
        const updated = await updatePrice(t, id, {
          ...(params.active === undefined ? {} : { active: params.active }),
          ...(params.nickname === undefined ? {} : { nickname: params.nickname }),
          ...(params.lookup_key === undefined ? {} : { lookupKey: params.lookup_key }),
          ...(params.tax_behavior === undefined ? {} : { taxBehavior: params.tax_behavior }),
          ...(params.external_id === undefined ? {} : { externalId: params.external_id }),
          ...(params.currency_options === undefined ? {} : { currencyOptions: addCurrencies(present, params.currency_options) }),
          metadata: mergeMetadata(present.metadata, params.metadata),
        });
        if (updated !== null) await tell(context, t, { type: 'price.updated', objectType: 'price', before: present, after: updated });
        return presentPrice(updated ?? present, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/prices',
    summary: 'List prices',
    params: schemas.priceList,
    answer: listOf(schemas.price),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listPrices(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...(params.active === undefined ? {} : { active: params.active }),
          ...(params.product === undefined ? {} : { productId: params.product }),
          ...(params.currency === undefined ? {} : { currency: params.currency }),
          ...(params.type === undefined ? {} : { type: params.type }),
          ...(params.lookup_keys === undefined ? {} : { lookupKeys: params.lookup_keys }),
          ...(params.external_id === undefined ? {} : { externalId: params.external_id }),
        });
        return listAnswer(
          '/v1/prices',
          page.items.map((price) => presentPrice(price, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
];

/** What has been sold at an amount goes on at it, so the amounts of a currency stay as they are once given. @throws ApiError 400 */
function addCurrencies(price: Price, given: CurrencyOptions): Price['currencyOptions'] {
  const { percentage, minimumAmount, maximumAmount } = price.recurring ?? {};
  if (percentage !== undefined || (minimumAmount ?? maximumAmount) !== undefined)
    throw badRequest('A percentage, minimum or maximum is in the currency of its price alone.', 'currency_options');
  if (price.creditGrant) throw badRequest('A price that gives credit has one currency.', 'currency_options');
  checkInput(addedCurrencyOptions(price.billingScheme, price.currency), { textual: false, values: { currency_options: given } });
  const added = currencyOptionsFrom(given);
  for (const code of Object.keys(given)) {
    const [present, option] = [price.currencyOptions[code.toLowerCase()], added[code.toLowerCase()]];
    if (present === undefined || option === undefined) continue;
    const param = `currency_options[${code}]`;
    if (!isDeepStrictEqual(amountsOf(present), amountsOf(option)))
      throw badRequest('The amounts of a price cannot be changed once given: make a new price.', param);
    if (present.taxBehavior !== 'unspecified' && present.taxBehavior !== option.taxBehavior)
      throw badRequest('The tax behavior of a price cannot be changed once it is specified.', `${param}[tax_behavior]`);
  }
  return { ...price.currencyOptions, ...added };
}

const amountsOf = ({ unitAmountDecimal, tiers }: PriceAmounts): PriceAmounts => ({ unitAmountDecimal, tiers });

type ProductData = NonNullable<z.output<typeof schemas.priceCreate>['product_data']>;

async function productFrom(context: RequestContext, t: AccountTransaction, input: ProductData): Promise<Product> {
  if (input.id !== undefined && (await findProduct(t, input.id)) !== null) {
    throw badRequest(`Product already exists: '${input.id}'`, 'product_data[id]', 'resource_already_exists');
  }
  const now = context.now();
  const product: Product = {
    id: input.id ?? context.newId(ID_PREFIX.product),
    name: input.name,
    description: null,
    active: input.active,
    defaultPriceId: null,
    unitLabel: input.unit_label ?? null,
    externalId: null,
    metadata: mergeMetadata({}, input.metadata),
    createdAt: now,
    updatedAt: now,
  };
  await insertProduct(t, product);
  await tell(context, t, { type: 'product.created', objectType: 'product', after: product });
  return product;
}
