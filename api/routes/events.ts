import { withAccount } from '../../db/client.ts';
import { findEvent, listEvents } from '../../db/events.ts';
import { route } from '../define-route.ts';
import { notFound } from '../errors.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentEvents } from '../present-events.ts';
import * as schemas from '../schemas/events.ts';
import { listOf } from '../schemas/fields.ts';

const one = { tag: 'Events', answer: schemas.event, kind: 'event' } as const;

export const eventRoutes = [
  route({
    ...one,
    method: 'get',
    path: '/v1/events/:id',
    summary: 'Retrieve an event',
    params: schemas.eventRetrieve,
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const event = await findEvent(t, id);
        if (event === null) throw notFound('event', id);
        const [answer] = await presentEvents(t, context.account, [event]);
        if (answer === undefined) throw notFound('event', id);
        return answer;
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/events',
    summary: 'List events, newest first',
    params: schemas.eventList,
    answer: listOf(schemas.event),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const types = params.types ?? (params.type === undefined ? undefined : [params.type]);
        const page = await listEvents(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...(types === undefined ? {} : { types }),
          ...(params.object_id === undefined ? {} : { objectId: params.object_id }),
        });
        return listAnswer('/v1/events', await presentEvents(t, context.account, page.items), page.hasMore);
      }),
  }),
];
