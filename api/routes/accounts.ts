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
];
