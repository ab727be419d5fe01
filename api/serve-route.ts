import type { Request, RequestHandler, Response } from 'express';
import { withAccount } from '../db/client.ts';
import { authenticate } from './authenticate.ts';
import { checkInput } from './check-input.ts';
import type { ApiDeps, RequestContext } from './context.ts';
import type { Route } from './define-route.ts';
import { answerFor, notFound } from './errors.ts';
import { checkExpand, expand, type Json } from './expand.ts';
import { type Answer, hashRequest, idempotencyKeyOf, once } from './idempotency.ts';
import { idsFor } from './new-id.ts';
import { readParams } from './read-body.ts';
import { objectReader } from './read-objects.ts';

export interface Served {
  requestId: string;
  accountId?: string;
}

/** One endpoint as Express sees it: who asks, what they ask, whether they asked before, then the handler, then what they want expanded. */
export const serveRoute =
  (deps: ApiDeps, route: Route): RequestHandler =>
  async (request, response) => {
    const served = response.locals as Served;
    const { account, previewSecret, actor } = await authenticate(deps.db, request);
    served.accountId = account.id;
    const params: unknown = checkInput(route.params, readParams(request, route.listBody));
    const path = pathParams(request);
    const paths = expandPaths(params);
    checkExpand(paths, route.kind, route.list === true);

    const key = route.writes ? idempotencyKeyOf(request.headers['idempotency-key']) : null;
    const context: RequestContext = {
      ...deps,
      log: deps.log.child({ requestId: served.requestId, accountId: account.id }),
      account,
      previewSecret,
      actor,
      requestId: served.requestId,
      ...idsFor(account.id, key),
    };
    const act = async (): Promise<Answer> => {
      const body = (await route.handle(context, { path, params })) as Json;
      if (paths.length > 0) {
        await withAccount(deps.db, account.id, (t) => expand(body, route.kind, paths, objectReader(t, account, deps.now())));
      }
      return { status: 200, body };
    };
    if (key === null) return send(response, await act());
    const requestHash = hashRequest(request.method, request.path, params);
    const answer = await once(deps.db, account, { key, requestHash, operationId: context.operationId, now: deps.now() }, async () => {
      try {
        return await act();
      } catch (error) {
        const told = answerFor(error);
        // What went wrong on our side, or is not known yet, is not the answer for ever.
        if (told.status >= 500 || told.status === 409 || told.status === 429) throw error;
        return { status: told.status, body: told.body };
      }
    });
    if (answer.replayed) response.setHeader('Idempotent-Replayed', 'true');
    response.setHeader('Idempotency-Key', key);
    send(response, answer);
  };

const send = (response: Response, { status, body }: Answer): void => {
  response.status(status).json(body);
};

/** Path parameters that cannot be an id are not found, without asking the database. */
function pathParams(request: Request): Record<string, string> {
  const entries = Object.entries(request.params).map(([name, value]) => [name, String(value)] as const);
  for (const [, value] of entries) {
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(value)) throw notFound('resource', value);
  }
  return Object.fromEntries(entries);
}

const expandPaths = (params: unknown): string[] => {
  const paths = typeof params === 'object' && params !== null && 'expand' in params ? params.expand : undefined;
  return Array.isArray(paths) ? paths.map(String) : [];
};
