/** Byte streams of files, archive entries and gzip files. They can be opened repeatedly. */
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pipeline, type Transform } from 'node:stream';
import { crc32, createGunzip, createInflateRaw } from 'node:zlib';
import { rejectPart } from './reject-part.ts';

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

/** An entry of a zip archive, checked against its declared length and checksum. */
export function zipEntrySource(
  compressed: ByteSource,
  { bytes, checksum, deflated }: { bytes: number; checksum: number; deflated: boolean },
): ByteSource {
  const { part } = compressed;
  return {
    part,
    bytes,
    async *open() {
      let found = 0;
      let sum = 0;
      for await (const chunk of deflated ? decompress(compressed, createInflateRaw()) : compressed.open()) {
        found += chunk.length;
        if (found > bytes) rejectPart(part, `it decompresses to more than its declared ${bytes} bytes`);
        sum = crc32(chunk, sum);
        yield chunk;
      }
      if (found !== bytes || sum !== checksum) rejectPart(part, 'it is damaged');
    },
  };
}

/** The consumer enforces the size limit and stops reading. This defuses decompression bombs. */
export function gunzippedSource(compressed: ByteSource): ByteSource {
  return { part: compressed.part, bytes: null, open: () => decompress(compressed, createGunzip()) };
}

async function* decompress(compressed: ByteSource, transform: Transform): AsyncIterable<Uint8Array> {
  // The callback is required but empty: the loop over the transform receives the errors.
  const decompressed: AsyncIterable<Uint8Array> = pipeline(compressed.open(), transform, () => {});
  try {
    yield* decompressed;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code?.startsWith('Z_')) {
      rejectPart(compressed.part, 'its compressed data is damaged or truncated', cause);
    }
    throw cause;
  }
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

/** Reads the bytes from `start` to `end`, or fewer at the end of the file. */
export async function readRange(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(0, end - start));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
  return bytes.subarray(0, bytesRead);
}
