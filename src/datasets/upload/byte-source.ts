/** Byte streams of files, archive entries and gzip files. They can be opened repeatedly. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { decompress } from '../../formats/archives/decompress.ts';
import { openFile } from '../../formats/archives/range-source.ts';
import { streamEntry } from '../../formats/archives/zip.ts';
import { compressedStart } from '../../formats/archives/zip-directory.ts';
import type { ZipEntry } from '../../formats/archives/zip-entries.ts';
import type { Reject } from '../../formats/models/file-error.ts';
import { rejectAs } from './reject-part.ts';

export interface ByteSource {
  /** Name of the part in error messages. */
  readonly part: string;
  /** null if the length is not known before reading. */
  readonly bytes: number | null;
  /** @throws AtelierError `invalid-dataset-file` during reading, if the data is damaged or exceeds its declared size */
  open(): AsyncIterable<Uint8Array>;
}

/** A range of a file. */
export function fileSource(part: string, path: string, bytes: number, start = 0): ByteSource {
  return {
    part,
    bytes,
    async *open() {
      // `end` is inclusive.
      if (bytes > 0) yield* createReadStream(path, { start, end: start + bytes - 1 });
    },
  };
}

/**
 * An entry of a zip archive, checked against its declared length and checksum.
 * @param part its name in messages; the error for the archive is that of `rejectArchive`
 */
export function zipEntrySource(
  part: string,
  path: string,
  entry: ZipEntry,
  rejectArchive: Reject,
): ByteSource {
  const { bytes, compressedBytes } = entry;
  const findStart = () => {
    using archive = openFile(path, rejectArchive);
    return compressedStart(archive, entry);
  };
  const compressed = () => fileSource(part, path, compressedBytes, findStart()).open();
  return { part, bytes, open: () => streamEntry(entry, compressed(), rejectAs(part)) };
}

export function gunzippedSource({ part, open }: ByteSource): ByteSource {
  return { part, bytes: null, open: () => decompress(open(), createGunzip(), rejectAs(part)) };
}

/** Reads up to `limit` bytes from the start. */
export async function readHead(source: ByteSource, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source.open()) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
