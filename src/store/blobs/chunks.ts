/** Files in chunks, for blobs that are larger than memory. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { openRegularFile } from '../../formats/regular-file.ts';
import { syncFile } from './directory.ts';

export const CHUNK_BYTES = 2 ** 20;

/**
 * Yields chunks of `size` bytes, the last one shorter, each in its own buffer. An empty file has no chunk.
 * @throws RangeError if the path is that of something else than a file
 */
export async function* readChunks(path: string, size = CHUNK_BYTES): AsyncGenerator<Buffer<ArrayBuffer>> {
  await using file = await openRegularFile(path);
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    for (let read = -1; filled < size && read !== 0; filled += read) {
      ({ bytesRead: read } = await file.read(chunk, filled, size - filled));
    }
    if (filled > 0) yield chunk.subarray(0, filled);
    if (filled < size) return;
  }
}

/**
 * Writes a new file and syncs it.
 * @returns the digest of the chunks
 */
export async function writeChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const file = await open(path, 'wx');
  try {
    const hash = createHash('sha256');
    for await (const chunk of chunks) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await syncFile(file);
    return `sha256:${hash.digest('hex')}`;
  } finally {
    await file.close();
  }
}

export async function measureFile(path: string): Promise<{ digest: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of readChunks(path)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, bytes };
}
