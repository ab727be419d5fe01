import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Which worked examples of peers are met, and by which test; what is left out says why. */
const TESTS = fileURLToPath(new URL('..', import.meta.url));
const LEFT_OUT: Record<string, string> = {
  R01: 'revenue recognition',
  R03: 'revenue recognition',
};

const ids = readFileSync(join(TESTS, 'vectors', 'peer-examples.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { id: string }).id);
const tests = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.endsWith('report.test.ts'))
  .map((name) => ({ name, source: readFileSync(join(TESTS, name), 'utf8') }));
/** Files with a test whose title begins with the id. */
const metBy = (id: string): string[] =>
  tests.filter(({ source }) => new RegExp(`\\(\\s*['"\`](?:[A-Z]\\d\\d(?:,| and)\\s)*${id}\\b`).test(source)).map(({ name }) => name);

test.each(ids.map((id) => [id, metBy(id).join(', ') || `left out: ${LEFT_OUT[id] ?? 'NOBODY SAYS WHY'}`]))('%s: %s', (id) => {
  expect(metBy(id).length > 0 || id in LEFT_OUT).toBe(true);
});
