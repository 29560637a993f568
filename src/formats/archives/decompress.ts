/** Decompresses a stream chunk by chunk. */
import { pipeline, type Transform } from 'node:stream';
import type { Reject } from '../models/file-error.ts';

/**
 * The consumer enforces the size limit and stops reading. This defuses decompression bombs.
 * @param transform of `node:zlib`
 */
export async function* decompress(
  compressed: AsyncIterable<Uint8Array>,
  transform: Transform,
  reject: Reject,
): AsyncIterable<Uint8Array> {
  // The callback is required but empty: the loop over the transform receives the errors.
  const decompressed: AsyncIterable<Uint8Array> = pipeline(compressed, transform, () => {});
  try {
    yield* decompressed;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code?.startsWith('Z_'))
      reject('its compressed data is damaged or truncated', cause);
    throw cause;
  }
}
