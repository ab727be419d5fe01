import type { Client } from '@temporalio/client';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import type { Database } from '../db/client.ts';
import type { Instant } from '../domain/time.ts';
import type { PaymentGateway } from '../gateways/payment/payment-gateway.ts';
import type { TaxCalculatorRegistry } from '../gateways/tax/registry.ts';
import { type Commands, temporalCommands } from './commands.ts';
import type { ApiDeps } from './context.ts';
import { docsPage } from './docs-page.ts';
import { ApiError, answerFor, printable } from './errors.ts';
import { health } from './health.ts';
import { meterEventQueue } from './meter-event-queue.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { randomId } from './new-id.ts';
import type { TemporalUi } from './presenters/timeline.ts';
import { readBytes, readListBytes } from './read-body.ts';
import { usageReport } from './report-usage.ts';
import { ROUTES } from './routes/index.ts';
import { type Served, serveRoute } from './serve-route.ts';

export interface AppOptions {
  db: Database;
  /** A Temporal client, or commands that stand for one. */
  temporal: Client | Commands;
  gateways: Readonly<Record<string, PaymentGateway>>;
  /** External engines; none unless given. */
  taxCalculators?: TaxCalculatorRegistry;
  log: Logger;
  taskQueue: string;
  /** How long a request may wait for a workflow before it is answered with 503, in milliseconds. */
  deadlineMs: number;
  now: () => Instant;
  temporalUi?: TemporalUi | null;
}

/** The whole API as an Express app; listening, and stopping, is the caller's. */
export function createApp(options: AppOptions): Express {
  const { temporal, taskQueue, deadlineMs, temporalUi = null, taxCalculators = {}, ...rest } = options;
  const metrics = createMetrics();
  const commands = 'subscribe' in temporal ? temporal : temporalCommands(temporal, { taskQueue, deadlineMs }, metrics);
  const deps: ApiDeps = {
    ...rest,
    deadlineMs,
    taxCalculators,
    commands,
    temporalUi,
    recordMeterEvents: meterEventQueue(rest.db, rest.now),
    reportUsage: usageReport({ ...rest, commands }),
  };

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  app.use(helmet(), identify, measure(metrics), logRequests(options.log));
  app.use(health(deps, metrics), docsPage(ROUTES));
  for (const { path, listBody } of ROUTES) if (listBody !== undefined) app.use(path, readListBytes);
  app.use('/v1', readBytes);
  for (const route of ROUTES) {
    app[route.method](route.path, named(route.path), serveRoute(deps, route));
  }
  app.use((request) => {
    throw new ApiError(`Unrecognized request URL (${request.method}: ${printable(request.path)}).`, { status: 404 });
  });
  app.use(tellError(options.log));
  return app;
}

const identify: RequestHandler = (_, response, next) => {
  const requestId = randomId('req');
  (response.locals as Served).requestId = requestId;
  response.setHeader('Request-Id', requestId);
  next();
};

/** Metrics go by the route's pattern, never by the path, so that ids do not become labels. */
const named =
  (pattern: string): RequestHandler =>
  (_, response, next) => {
    response.locals['route'] = pattern;
    next();
  };

const measure =
  ({ requests }: Metrics): RequestHandler =>
  (request, response, next) => {
    const end = requests.startTimer();
    response.once('finish', () => {
      end({ method: request.method, route: String(response.locals['route'] ?? 'other'), status: String(response.statusCode) });
    });
    next();
  };

const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

const logRequests = (log: Logger): RequestHandler =>
  pinoHttp({
    logger: log,
    quietReqLogger: true,
    genReqId: (_, response) => String(response.getHeader('Request-Id')),
    autoLogging: { ignore: (request) => QUIET.has(request.url ?? '') },
    customLogLevel: (_, response) => (response.statusCode >= 500 ? 'warn' : 'info'),
    // Neither headers nor bodies: they hold keys and personal data.
    serializers: { req: () => undefined, res: () => undefined },
    customAttributeKeys: { reqId: 'requestId' },
    // What failed is logged where it is answered, with its cause.
    customErrorObject: (_request, _response, _error, value) => ({ ...value, err: undefined }),
    customProps: (request, response) => ({
      method: request.method,
      route: (response as { locals?: Record<string, unknown> }).locals?.['route'],
      status: response.statusCode,
      accountId: (response as { locals?: Record<string, unknown> }).locals?.['accountId'],
    }),
  });

const tellError =
  (log: Logger): ErrorRequestHandler =>
  (error, _request, response, _next) => {
    const answer = answerFor(error);
    const { requestId, accountId } = response.locals as Served;
    if (answer.status >= 500)
      log[answer.status === 503 ? 'warn' : 'error']({ err: error, requestId, accountId, status: answer.status }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (answer.retryAfter !== undefined) response.setHeader('Retry-After', String(answer.retryAfter));
    if (answer.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="Perennial"');
    response.status(answer.status).json(answer.body);
  };
