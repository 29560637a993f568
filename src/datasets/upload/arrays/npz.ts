/** Streaming reader of .npz files. `formats/arrays/npz.ts` reads small ones in memory. */

import { open } from 'node:fs/promises';
import { ARRAY_NAMES } from '../../../domain/datasets/upload-form.ts';
import { compressedStart, readDirectory } from '../../../formats/archives/zip-directory.ts';
import { type DirectoryEntry, LOCAL_HEADER_BYTES, METHODS } from '../../../formats/archives/zip-entries.ts';
import { describeFile, KIND_BYTES } from '../../../formats/file-kinds.ts';
import {
  type ByteSource,
  fileSource,
  gunzippedSource,
  readHead,
  readRange,
  zipEntrySource,
} from '../byte-source.ts';
import { rejectPart } from '../reject-part.ts';

/** Holds the longest archive comment and, for the maximum number of entries, a directory of 15 kB per entry. */
const TAIL_BYTES = 2 ** 20;
const SUFFIX = '.npy';
const SINGLE_ARRAYS = Object.values(ARRAY_NAMES).flat().join(', ');

/**
 * Reads the directory of the archive without decompressing any entry.
 * @param maxBytes limit of all arrays together, decompressed
 * @returns the arrays by name, without `.npy`
 * @throws AtelierError `invalid-dataset-file`
 */
export async function openNpz(
  part: string,
  path: string,
  maxBytes: number,
): Promise<ReadonlyMap<string, ByteSource>> {
  const reject = (defect: string, cause?: unknown): never => rejectPart(part, defect, cause);
  await using file = await open(path);
  const { size } = await file.stat();
  const read = (start: number, length: number) => readRange(file, start, Math.min(size, start + length));
  const start = await read(0, KIND_BYTES);
  if (start.toString('latin1', 0, 2) !== 'PK') return rejectOther(fileSource(part, path, size));
  const tailOffset = Math.max(0, size - TAIL_BYTES);
  const sources = new Map<string, ByteSource>();
  for (const entry of readDirectory(await read(tailOffset, TAIL_BYTES), tailOffset, maxBytes, reject)) {
    const start = compressedStart(entry, await read(entry.offset, LOCAL_HEADER_BYTES), size, reject);
    const name = entry.name.endsWith(SUFFIX) ? entry.name.slice(0, -SUFFIX.length) : entry.name;
    sources.set(name, createEntrySource(name, path, entry, start));
  }
  return sources;
}

/** Rejects a file that is not an archive, and names what it is. */
export async function rejectOther(source: ByteSource): Promise<never> {
  const start = await readHead(source, KIND_BYTES);
  const kind = describeFile(start) ?? 'a file of an unknown format';
  const isGzip = start[0] === 0x1f && start[1] === 0x8b;
  const inside = isGzip ? describeFile(await readHead(gunzippedSource(source), KIND_BYTES)) : undefined;
  const found = inside === undefined ? kind : `${kind} that holds ${inside}`;
  return rejectPart(
    source.part,
    `it is ${found}, but must be an archive: a zip, tar or tar.gz of images in class folders, such as cat/1.png, or an npz of ` +
      `arrays; send single arrays as ${SINGLE_ARRAYS}`,
  );
}

function createEntrySource(name: string, path: string, entry: DirectoryEntry, start: number): ByteSource {
  const { method, bytes, compressedBytes: packedBytes, checksum } = entry;
  const compressed = fileSource(name, path, packedBytes, start);
  return zipEntrySource(compressed, { bytes, checksum, deflated: method === METHODS.deflated });
}
