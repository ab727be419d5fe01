import { withAccount } from '../../db/client.ts';
import { entryId, listTimeline } from '../../db/timeline.ts';
import { route } from '../define-route.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentEvents } from '../present-events.ts';
import { presentTimelineEntry } from '../presenters/timeline.ts';
import { listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/timeline.ts';
import { subscriptionOf } from '../subscription-commands.ts';

export const timelineRoutes = [
  route({
    method: 'get',
    path: '/v1/subscriptions/:id/timeline',
    tag: 'Subscriptions',
    summary: 'All that happened to a subscription, its invoices and their dunning, in order: who, why, how much, and by which workflow run',
    params: schemas.timelineList,
    answer: listOf(schemas.timelineEntry),
    kind: 'timeline_entry',
    list: true,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        await subscriptionOf(t, id);
        const types = params.types ?? (params.type === undefined ? undefined : [params.type]);
        const page = await listTimeline(t, {
          ...pageOf(params),
          subscriptionId: id,
          types,
          since: params.since,
          until: params.until,
          newestFirst: params.order === 'desc',
        });
        const events = page.items.flatMap(({ event }) => event ?? []);
        const presented = new Map((await presentEvents(t, context.account, events)).map((event) => [event.id, event]));
        const entries = page.items.map((entry) =>
          presentTimelineEntry(
            { ...entry, id: entryId(entry) },
            { account: context.account, ui: context.temporalUi, event: presented.get(entry.event?.id ?? '') },
          ),
        );
        return listAnswer(`/v1/subscriptions/${id}/timeline`, entries, page.hasMore);
      }),
  }),
];
