import { withAccount } from '../../db/client.ts';
import { listSchedules } from '../../db/schedules.ts';
import { route } from '../define-route.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentSchedules } from '../read-objects.ts';
import { describeAndPresentSchedule, editSchedule, openSchedule } from '../schedule-commands.ts';
import { scheduleChangeFrom, scheduleFrom } from '../schedule-input.ts';
import { expand, listOf } from '../schemas/fields.ts';
import * as schemas from '../schemas/schedules.ts';
import { z } from '../schemas/zod.ts';

const one = { tag: 'Subscription schedules', answer: schemas.subscriptionSchedule, kind: 'subscription_schedule' } as const;

export const scheduleRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/subscription_schedules',
    summary: 'Plan a subscription phase by phase, from now, a date, or a subscription that runs',
    params: schemas.scheduleCreate,
    handle: async (context, { params }) => {
      const edit = scheduleFrom(params, context.newId);
      await openSchedule(context, edit);
      return describeAndPresentSchedule(context, edit.scheduleId);
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/subscription_schedules/:id',
    summary: 'Retrieve a subscription schedule',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) => describeAndPresentSchedule(context, id),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/subscription_schedules/:id',
    summary: 'Change the phases, the end or the settings of a subscription schedule',
    params: schemas.scheduleUpdate,
    handle: async (context, { path: { id = '' }, params }) => {
      const edit = scheduleChangeFrom(params);
      if (edit !== null) await editSchedule(context, id, edit);
      return describeAndPresentSchedule(context, id, params.metadata);
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/subscription_schedules/:id/cancel',
    summary: 'Cancel a subscription schedule, and its subscription with it',
    params: schemas.scheduleCancel,
    handle: async (context, { path: { id = '' }, params }) => {
      await editSchedule(context, id, { do: 'cancel', prorate: params.prorate, invoiceNow: params.invoice_now });
      return describeAndPresentSchedule(context, id);
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/subscription_schedules/:id/release',
    summary: 'End a subscription schedule, and leave its subscription as it is',
    params: schemas.scheduleRelease,
    handle: async (context, { path: { id = '' }, params }) => {
      await editSchedule(context, id, { do: 'release', preserveCancelDate: params.preserve_cancel_date });
      return describeAndPresentSchedule(context, id);
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/subscription_schedules',
    summary: 'List subscription schedules',
    params: schemas.scheduleList,
    answer: listOf(schemas.subscriptionSchedule),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listSchedules(t, {
          ...pageOf(params),
          customerId: params.customer,
          subscriptionId: params.subscription,
          scheduled: params.scheduled,
          created: params.created,
          canceled: params.canceled_at,
          completed: params.completed_at,
          released: params.released_at,
        });
        return listAnswer('/v1/subscription_schedules', await presentSchedules(t, context.account, page.items), page.hasMore);
      }),
  }),
];
