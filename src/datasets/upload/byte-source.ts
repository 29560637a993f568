/** Bytes in a file, packed or not, that are read as often as need be and never all at once. */
import { createReadStream } from 'node:fs';
import { pipeline, type Transform } from 'node:stream';
import { crc32, createGunzip, createInflateRaw } from 'node:zlib';
import { rejectPart } from './reject-part.ts';

export interface ByteSource {
  /** What it is called where it is refused. */
  readonly part: string;
  /** null where only reading tells. */
  readonly bytes: number | null;
  /** @throws AtelierError `invalid-dataset-file` while it is read, where it does not unpack to what it should */
  open(): AsyncIterable<Uint8Array>;
}

/** So many bytes of a file. */
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

/** An entry of a zip archive, which declares its length and checksum. */
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
        if (found > bytes) rejectPart(part, `it unpacks to more than the ${bytes} bytes that it declares`);
        sum = crc32(chunk, sum);
        yield chunk;
      }
      if (found !== bytes || sum !== checksum) rejectPart(part, 'it is damaged');
    },
  };
}

/** The reader says how much there may be: it stops reading, and so ends a bomb. */
export function gunzippedSource(compressed: ByteSource): ByteSource {
  return { part: compressed.part, bytes: null, open: () => decompress(compressed, createGunzip()) };
}

async function* decompress(compressed: ByteSource, transform: Transform): AsyncIterable<Uint8Array> {
  // What fails is thrown where the transform is read.
  const decompressed: AsyncIterable<Uint8Array> = pipeline(compressed.open(), transform, () => {});
  try {
    yield* decompressed;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code?.startsWith('Z_')) {
      rejectPart(compressed.part, 'its compressed bytes are damaged, or cut off', cause);
    }
    throw cause;
  }
}

/** The first bytes, `limit` of them where there are as many. */
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
