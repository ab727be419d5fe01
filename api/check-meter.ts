import type { AccountTransaction } from '../db/client.ts';
import { findMeter } from '../db/meters.ts';
import type { Price } from '../domain/catalog/price.ts';
import { badRequest, notFound } from './errors.ts';

/** @throws ApiError 400 about the meter that a price names */
export async function checkMeter(t: AccountTransaction, { recurring }: Price, param = 'recurring'): Promise<void> {
  if (recurring === null || recurring.meterId === null) return;
  const meter = await findMeter(t, recurring.meterId);
  if (meter === null) throw notFound('billing meter', recurring.meterId, `${param}[meter]`);
  if (meter.status !== 'active') throw badRequest(`The meter ${meter.id} is inactive.`, `${param}[meter]`, 'archived_meter');
  if (recurring.percentage && meter.formula !== 'sum')
    throw badRequest(
      `A percentage is of what the events add up to, and the meter ${meter.id} measures their ${meter.formula}.`,
      `${param}[meter]`,
    );
  const unknown = Object.keys(recurring.groups ?? {}).find((key) => !meter.groupBy.includes(key));
  if (unknown !== undefined)
    throw badRequest(`The meter ${meter.id} does not group by '${unknown}'.`, `${param}[meter_filter][${unknown}]`);
}
