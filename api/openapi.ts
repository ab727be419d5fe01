import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi';
import type { Route } from './define-route.ts';
import { errorAnswer } from './schemas/errors.ts';
import { z } from './schemas/zod.ts';

const DESCRIPTION = `Subscription billing in the dialect of Stripe Billing: the official Stripe SDKs are its clients.

Send parameters form-encoded with brackets (\`items[0][price]=…\`), as the SDKs do, or as JSON. A parameter that is not supported is refused by name.
Every POST and DELETE takes an \`Idempotency-Key\`; amounts are integers of the currency's minor unit, instants are unix seconds.`;

/** The OpenAPI 3.1 document, made from the very schemas that check requests and that tests hold answers to. */
export function openApiDocument(routes: readonly Route[]): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'secretKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'A secret key, `sk_test_…` or `sk_live_…`.',
  });
  registry.registerComponent('securitySchemes', 'basic', {
    type: 'http',
    scheme: 'basic',
    description: 'The secret key as the user name.',
  });
  const seen = new Map<string, number>();
  for (const route of routes) {
    const body = { schema: route.params };
    registry.registerPath({
      method: route.method,
      path: route.path.replace(/:(\w+)/g, '{$1}'),
      operationId: operationId(route, seen),
      summary: route.summary,
      tags: [route.tag],
      security: [{ secretKey: [] }, { basic: [] }],
      request: {
        params: z.object(Object.fromEntries([...route.path.matchAll(/:(\w+)/g)].map((match) => [match[1] ?? '', z.string()]))),
        ...(route.writes
          ? {
              headers: z.object({ 'Idempotency-Key': z.string().max(255).optional() }),
              body: { content: { 'application/x-www-form-urlencoded': body, 'application/json': body } },
            }
          : { query: queryOf(route.params) }),
      },
      responses: {
        200: { description: 'Done.', content: { 'application/json': { schema: route.answer } } },
        default: {
          description: 'Refused or failed; nothing was changed unless the status is 503.',
          content: { 'application/json': { schema: errorAnswer } },
        },
      },
    });
  }
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Perennial', version: '1', description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
  });
}

const queryOf = (schema: z.ZodType): z.ZodObject => (schema instanceof z.ZodObject ? schema : z.object({}));

function operationId(route: Route, seen: Map<string, number>): string {
  const words = route.path
    .replace('/v1/', '')
    .split('/')
    .filter((part) => !part.startsWith(':'));
  const action =
    route.method === 'get'
      ? route.list === true
        ? 'list'
        : 'retrieve'
      : route.method === 'delete'
        ? 'delete'
        : route.path.endsWith(':id')
          ? 'update'
          : 'post';
  const name = [action, ...words].join('_');
  const count = seen.get(name) ?? 0;
  seen.set(name, count + 1);
  return count === 0 ? name : `${name}_${count + 1}`;
}
