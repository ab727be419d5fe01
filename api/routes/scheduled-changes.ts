import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findScheduledChange, listScheduledChanges } from '../../db/scheduled-changes.ts';
import type { ScheduledChange } from '../../domain/subscription/scheduled-change.ts';
import { route } from '../define-route.ts';
import { notFound } from '../errors.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentScheduledChange } from '../presenters/scheduled-changes.ts';
import { expand, listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/scheduled-changes.ts';
import { z } from '../schemas/zod.ts';
import { cancelScheduledChange, subscriptionOf } from '../subscription-commands.ts';

const one = { tag: 'Scheduled changes', answer: schemas.scheduledChange, kind: 'scheduled_change' } as const;

async function changeOf(t: AccountTransaction, subscriptionId: string, id: string): Promise<ScheduledChange> {
  await subscriptionOf(t, subscriptionId);
  const scheduled = await findScheduledChange(t, id);
  if (scheduled?.subscriptionId !== subscriptionId) throw notFound('scheduled change', id);
  return scheduled;
}

export const scheduledChangeRoutes = [
  route({
    ...one,
    method: 'get',
    path: '/v1/subscriptions/:id/scheduled_changes',
    summary: 'List the changes that are or were scheduled, the earliest to take effect first',
    params: schemas.scheduledChangeList,
    answer: listOf(schemas.scheduledChange),
    list: true,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        await subscriptionOf(t, id);
        const page = await listScheduledChanges(t, {
          ...pageOf(params),
          subscriptionId: id,
          ...(params.status === undefined ? {} : { status: params.status }),
        });
        const data = page.items.map((scheduled) => presentScheduledChange(scheduled, context.account.livemode));
        return listAnswer(`/v1/subscriptions/${id}/scheduled_changes`, data, page.hasMore);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/subscriptions/:id/scheduled_changes/:change',
    summary: 'Retrieve a scheduled change',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '', change = '' } }) =>
      withAccount(context.db, context.account.id, async (t) =>
        presentScheduledChange(await changeOf(t, id, change), context.account.livemode),
      ),
  }),
  route({
    ...one,
    method: 'delete',
    path: '/v1/subscriptions/:id/scheduled_changes/:change',
    summary: 'Cancel a scheduled change',
    params: z.strictObject({ expand }),
    handle: async (context, { path: { id = '', change = '' } }) => {
      await withAccount(context.db, context.account.id, (t) => changeOf(t, id, change));
      await cancelScheduledChange(context, id, change);
      return withAccount(context.db, context.account.id, async (t) =>
        presentScheduledChange(await changeOf(t, id, change), context.account.livemode),
      );
    },
  }),
];
