import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...globSync('{docs/**,*}/*.md').filter((file) => !file.startsWith('node_modules')),
];
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const anchorsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

/** Where the links of a page lead, within the project. */
function linksOf(file: string): { path: string; anchor: string | undefined }[] {
  const text = readFileSync(file, 'utf8').replace(/```.*?```/gs, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^\w+:/.test(target));
  return targets.map((target) => {
    const [path = '', anchor] = target.split('#');
    return { path: path === '' ? file : join(dirname(file), path), anchor };
  });
}

test.each(pages)('%s: every link leads to what is there', (file) => {
  for (const { path, anchor } of linksOf(file)) {
    expect(existsSync(path), path).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(path)).toContain(anchor);
  }
});

test('every page of docs/ is found from the README', () => {
  const found = new Set(['README.md']);
  for (const file of found) for (const { path } of linksOf(file)) if (path.endsWith('.md')) found.add(path);
  expect(globSync('docs/{*,pricing/*}.md').filter((file) => !found.has(file))).toEqual([]);
});
