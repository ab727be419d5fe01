import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Router } from 'express';
import helmet from 'helmet';
import type { Route } from './define-route.ts';
import { openApiDocument } from './openapi.ts';

const SCRIPT = 'node_modules/@scalar/api-reference/dist/browser/standalone.js';

/** Where the installed package keeps the page's script; null where development dependencies were left out. */
function scalarScript(): string | null {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const file = join(folder, SCRIPT);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) return null;
  }
}

const CONFIGURATION = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
};

/** `/openapi.json`, and `/docs`: a page that asks nothing of any other host. */
export function docsPage(routes: readonly Route[]): Router {
  const router = Router();
  const document = openApiDocument(routes);
  const script = scalarScript();
  router.get('/openapi.json', (_, response) => {
    response.json(document);
  });
  router.get('/docs/scalar.js', (_, response, next) => {
    if (script === null) return next();
    response.sendFile(script, { maxAge: '1h', dotfiles: 'allow' });
  });
  router.get(
    '/docs',
    helmet.contentSecurityPolicy({
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
      },
    }),
    (_, response) => {
      response.type('html').send(script === null ? WITHOUT_SCRIPT : PAGE);
    },
  );
  return router;
}

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Perennial API</title></head>
<body>
<div id="app"></div>
<script src="/docs/scalar.js"></script>
<script>Scalar.createApiReference('#app', ${JSON.stringify(CONFIGURATION)})</script>
</body>
</html>`;

const WITHOUT_SCRIPT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Perennial API</title></head>
<body><p>The reference page needs the development dependencies. The document itself is at <a href="/openapi.json">/openapi.json</a>.</p></body></html>`;
