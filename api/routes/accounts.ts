import { findAccount, updateAccount } from '../../db/accounts.ts';
import { withAccount } from '../../db/client.ts';
import { route } from '../define-route.ts';
import { presentAccount } from '../presenters/accounts.ts';
import * as schemas from '../schemas/accounts.ts';

export const accountRoutes = [
  route({
    tag: 'Account',
    method: 'get',
    path: '/v1/account',
    summary: 'The account of the API key, with its billing settings',
    params: schemas.accountRetrieve,
    answer: schemas.account,
    kind: 'account',
    handle: async (context) => presentAccount(context.account),
  }),
  route({
    tag: 'Account',
    method: 'post',
    path: '/v1/account',
    summary: "Change the account's billing settings",
    params: schemas.accountUpdate,
    answer: schemas.account,
    kind: 'account',
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        await updateAccount(t, {
          ...(params.invoice_grace_seconds === undefined ? {} : { invoiceGraceSeconds: params.invoice_grace_seconds }),
          ...(params.late_usage === undefined ? {} : { lateUsage: params.late_usage }),
        });
        return presentAccount((await findAccount(t)) ?? context.account);
      }),
  }),
];
