import { Router } from 'express';
import { pingDatabase } from '../db/client.ts';
import type { ApiDeps } from './context.ts';
import type { Metrics } from './metrics.ts';

/** `/healthz` says the process runs, `/readyz` that Postgres and Temporal answer, `/metrics` what it has done. */
export function health(deps: ApiDeps, metrics: Metrics): Router {
  const router = Router();
  router.get('/healthz', (_, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_, response) => {
    const [postgres, temporal] = await Promise.all([answers(() => pingDatabase(deps.db)), answers(() => deps.commands.ready())]);
    response.status(postgres && temporal ? 200 : 503).json({ postgres: said(postgres), temporal: said(temporal) });
  });
  router.get('/metrics', async (_, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return router;
}

const READY_WITHIN_MS = 3_000;

/** Whether a dependency answers at all, and soon. */
async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), READY_WITHIN_MS);
  try {
    return await Promise.race([
      ask().then(
        () => true,
        () => false,
      ),
      late.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

const said = (ok: boolean): string => (ok ? 'ok' : 'no answer');
