/** Streaming reader of .npz files. `formats/npz.ts` reads small ones in memory. */

import { open } from 'node:fs/promises';
import { FILE_PARTS } from '../../domain/dataset-upload.ts';
import { NPY_SIGNATURE } from '../../formats/npy-header.ts';
import { compressedStart, readDirectory } from '../../formats/zip-directory.ts';
import { type DirectoryEntry, LOCAL_HEADER_BYTES, METHODS } from '../../formats/zip-entries.ts';
import { type ByteSource, fileSource, zipEntrySource } from './byte-source.ts';
import { rejectPart } from './reject-part.ts';

/** Holds the longest archive comment and, for the maximum number of entries, a directory of 15 kB per entry. */
const TAIL_BYTES = 2 ** 20;
const SUFFIX = '.npy';
/** Signatures of formats that are often sent instead of an npz. */
const OTHER_FORMATS = [
  [NPY_SIGNATURE, 'an npy array'],
  ['\x1f\x8b', 'a gzip file'],
  ['\0\0', 'an IDX array'],
] as const;

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
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read = async (start: number, length: number) => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - start)));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      return bytes.subarray(0, bytesRead);
    };
    const otherFormat = sniffOtherFormat(await read(0, 6));
    if (otherFormat)
      reject(
        `it is ${otherFormat}, but must be an npz; send single arrays as ${FILE_PARTS.slice(1).join(', ')}`,
      );
    const tailOffset = Math.max(0, size - TAIL_BYTES);
    const sources = new Map<string, ByteSource>();
    for (const entry of readDirectory(await read(tailOffset, TAIL_BYTES), tailOffset, maxBytes, reject)) {
      const start = compressedStart(entry, await read(entry.offset, LOCAL_HEADER_BYTES), size, reject);
      const name = entry.name.endsWith(SUFFIX) ? entry.name.slice(0, -SUFFIX.length) : entry.name;
      sources.set(name, createEntrySource(name, path, entry, start));
    }
    return sources;
  } finally {
    await file.close();
  }
}

function sniffOtherFormat(start: Buffer): string | undefined {
  if (start.length === 0) return 'empty';
  return OTHER_FORMATS.find(([signature]) => start.toString('latin1').startsWith(signature))?.[1];
}

function createEntrySource(name: string, path: string, entry: DirectoryEntry, start: number): ByteSource {
  const { method, bytes, compressedBytes: packedBytes, checksum } = entry;
  const compressed = fileSource(name, path, packedBytes, start);
  return zipEntrySource(compressed, { bytes, checksum, deflated: method === METHODS.deflated });
}
