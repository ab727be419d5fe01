import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** All that workflow code may import, by the borders between rooms. */
const SOURCES = ['workflows', 'domain'];
const KEPT_BUNDLES = 5;

/**
 * The workflow code as one file for the worker's sandbox. Bundling takes seconds, so the file is kept in the home under a hash of what it is made from.
 * Safe when several processes make it at once: the last step is a rename.
 */
export async function workflowBundle(home: string): Promise<{ codePath: string }> {
  const folder = join(home, 'bundles');
  const codePath = join(folder, `workflows-${await sourceHash()}.cjs`);
  const exists = await access(codePath).then(
    () => true,
    () => false,
  );
  if (exists) return { codePath };
  await mkdir(folder, { recursive: true });
  const { code } = await bundleWorkflowCode({ workflowsPath: join(ROOT, 'workflows', 'index.ts'), logger: quiet });
  const draft = `${codePath}.${process.pid}`;
  await writeFile(draft, code);
  await rename(draft, codePath);
  await removeOldBundles(folder);
  return { codePath };
}

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256');
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  hash.update(`${version}\n`);
  hash.update(await readFile(join(ROOT, 'package-lock.json')));
  for (const folder of SOURCES) {
    const names = (await readdir(join(ROOT, folder), { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
    for (const name of names) {
      hash.update(`${folder}/${name}\n`);
      hash.update(await readFile(join(ROOT, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function removeOldBundles(folder: string): Promise<void> {
  const bundles = (await readdir(folder)).filter((name) => name.endsWith('.cjs'));
  const aged = await Promise.all(bundles.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  const old = aged.sort((a, b) => b.at - a.at).slice(KEPT_BUNDLES);
  await Promise.all(old.map(({ name }) => unlink(join(folder, name)).catch(() => undefined)));
}

const silent = (): void => undefined;
const complain = (message: string): void => {
  process.stderr.write(`${message}\n`);
};
const quiet = { log: silent, trace: silent, debug: silent, info: silent, warn: complain, error: complain };
