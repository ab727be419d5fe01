import { existsSync, globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/**
 * A test needs servers when it, or a file of `test/` that it imports, asks for what `test/support/global-setup.ts` provides, or starts programs of its
 * own. All others are `fast`: they run without any server.
 */
const SERVER_FOLDERS = ['test/start/', 'test/crash/', 'test/scenarios/', 'test/workflows/', 'test/replay/'];
const files = globSync('test/**/*.test.ts').map((file) => file.replaceAll('\\', '/'));
const needsServers = (file: string): boolean => SERVER_FOLDERS.some((folder) => file.startsWith(folder)) || asksForServers(file, new Set());

function asksForServers(file: string, seen: Set<string>): boolean {
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  const source = readFileSync(file, 'utf8');
  if (/\binject\(/.test(source)) return true;
  const imports = [...source.matchAll(/from '(\.{1,2}\/[^']+\.ts)'/g)].map(([, path = '']) =>
    new URL(path, `file:///${file}`).pathname.slice(1),
  );
  return imports.some((path) => path.startsWith('test/') && asksForServers(path, seen));
}

const slow = files.filter(needsServers);
const fast = files.filter((file) => !slow.includes(file));

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // Loading the code takes longer than most files; what a file starts it stops, and nothing is mocked by module.
    isolate: false,
    // Of the crash tests alone; a kill is mostly waiting for the timeout of what died. It is of the process, not of a file.
    maxConcurrency: 12,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'fast', include: fast } },
      { extends: true, test: { name: 'servers', include: slow, globalSetup: './test/support/global-setup.ts' } },
    ],
  },
});
