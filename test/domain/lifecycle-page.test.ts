import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawTransitions } from '../../domain/subscription/transitions.ts';

test('the picture in docs/lifecycle.md is drawn from the table', () => {
  const page = readFileSync(new URL('../../docs/lifecycle.md', import.meta.url), 'utf8');
  expect(page).toContain(`<!-- transitions:start -->\n\`\`\`mermaid\n${drawTransitions().trim()}\n\`\`\`\n<!-- transitions:end -->`);
});
