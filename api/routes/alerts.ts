import { changeAlert, countAlerts, findAlert, insertAlert, listAlerts } from '../../db/alerts.ts';
import { withAccount } from '../../db/client.ts';
import { findCustomer } from '../../db/customers.ts';
import { findMeter } from '../../db/meters.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { canAlert, MAX_ALERTS, type UsageAlert } from '../../domain/usage/alert.ts';
import type { RequestContext } from '../context.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentAlert } from '../presenters/alerts.ts';
import * as schemas from '../schemas/alerts.ts';

const one = { tag: 'Billing alerts', answer: schemas.alert, kind: 'billing_alert' } as const;
const LIST = '/v1/billing/alerts';

/** What was archived is not found any more, as at Stripe. */
async function change(context: RequestContext, id: string, status: UsageAlert['status']) {
  return withAccount(context.db, context.account.id, async (t) => {
    const before = await findAlert(t, id);
    if (before === null || before.status === 'archived') throw notFound('billing alert', id);
    const after = before.status === status ? before : await changeAlert(t, id, status);
    return presentAlert(after ?? before, context.account.livemode);
  });
}

export const alertRoutes = [
  route({
    ...one,
    method: 'post',
    path: LIST,
    summary: 'Create an alert: an event tells once for each customer that so much has been used since',
    params: schemas.alertCreate,
    handle: (context, { params: { title, usage_threshold: threshold } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const meter = await findMeter(t, threshold.meter);
        if (meter === null) throw notFound('billing meter', threshold.meter, 'usage_threshold[meter]');
        if (!canAlert(meter.formula))
          throw badRequest(`A meter of the formula ${meter.formula} cannot be watched.`, 'usage_threshold[meter]', 'parameter_invalid');
        const customerId = threshold.filters?.[0]?.customer ?? null;
        const param = 'usage_threshold[filters][0][customer]';
        if (customerId !== null) {
          const customer = await findCustomer(t, customerId);
          if (customer === null || customer.deleted) throw notFound('customer', customerId, param);
        }
        if ((await countAlerts(t, { meterId: meter.id, customerId })) >= MAX_ALERTS)
          throw badRequest(`There are ${MAX_ALERTS} alerts of this meter and customer already.`, 'usage_threshold');
        const alert: UsageAlert = {
          id: context.newId(ID_PREFIX.alert),
          title,
          meterId: meter.id,
          customerId,
          gte: threshold.gte,
          status: 'active',
          createdAt: context.now(),
        };
        await insertAlert(t, alert);
        return presentAlert(alert, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: LIST,
    summary: 'List alerts that are not archived',
    params: schemas.alertList,
    answer: schemas.alerts,
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listAlerts(t, { ...pageOf(params), meterId: params.meter });
        return listAnswer(
          LIST,
          page.items.map((alert) => presentAlert(alert, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: `${LIST}/:id`,
    summary: 'Retrieve an alert',
    params: schemas.alertRetrieve,
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const alert = await findAlert(t, id);
        if (alert === null || alert.status === 'archived') throw notFound('billing alert', id);
        return presentAlert(alert, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id/activate`,
    summary: 'Activate an alert again: it counts anew, and may be set off again',
    params: schemas.alertRetrieve,
    handle: (context, { path: { id = '' } }) => change(context, id, 'active'),
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id/deactivate`,
    summary: 'Deactivate an alert: it counts nothing, and is not set off',
    params: schemas.alertRetrieve,
    handle: (context, { path: { id = '' } }) => change(context, id, 'inactive'),
  }),
  route({
    ...one,
    method: 'post',
    path: `${LIST}/:id/archive`,
    summary: 'Archive an alert for ever',
    params: schemas.alertRetrieve,
    handle: (context, { path: { id = '' } }) => change(context, id, 'archived'),
  }),
];
