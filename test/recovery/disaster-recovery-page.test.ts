import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/disaster-recovery.md');
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;

/** `npm run drift -- --json` wherever the page says so: in its blocks and in its sentences. */
const commands = [...page.matchAll(/npm (?:run )?([a-z:]+)((?: -- (?:--[a-z]+ ?)+)?)/g)].map(([, script = '', flags = '']) => ({
  script,
  flags: [...flags.matchAll(/--([a-z]+)/g)].map(([, flag = '']) => flag),
}));

test('every command on the page is one that there is, with its flags', () => {
  expect(new Set(commands.map(({ script }) => script))).toEqual(new Set(['start', 'migrate', 'rebuild', 'drift']));
  for (const { script, flags } of commands) {
    expect(scripts[script], script).toBe(`node cli/bootstrap.mjs ${script}`);
    expect(existsSync(new URL(`../../cli/${script}.ts`, import.meta.url)), script).toBe(true);
    for (const flag of flags) expect(read(`cli/${script}.ts`), `${script} --${flag}`).toContain(`${flag}: { type: 'boolean'`);
  }
  expect(commands.flatMap(({ flags }) => flags)).toEqual(['json', 'repair']);
});

test('every kind of difference is on the page, with how it is mended', () => {
  const source = read('recovery/examine.ts');
  const kinds = [
    ...new Set([...source.matchAll(/kind: '([a-z_]+)'/g), ...source.matchAll(/\| '([a-z_]+)'/g)].map(([, kind = '']) => kind)),
  ];
  expect(kinds.length).toBeGreaterThan(7);
  for (const kind of kinds) expect(page).toContain(`| \`${kind}\``);
});
