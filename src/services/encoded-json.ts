/** Reads JSON with encoded images: few bytes on the main thread, more in a worker thread. */
import { type EncodedJsonImage, readEncodedJson } from '../datasets/json-encoded-images.ts';
import type { Pool } from '../workers/pool.ts';
import type { PredictTasks } from '../workers/tasks.ts';
import { transferableBuffers } from '../workers/transfer.ts';
import { MAX_INLINE_BYTES } from './predictions.ts';

/**
 * @param bytes the body; its buffer may be transferred to the worker
 * @param signal called only if the request must wait for a worker thread
 * @returns the images, not yet decoded
 * @throws AtelierError `malformed-body`, `invalid-request`, `unsupported-media-type`, and the errors of `Pool.run`
 */
export type ReadEncodedJson = (
  bytes: Uint8Array,
  signal: () => AbortSignal,
) => Promise<readonly EncodedJsonImage[]>;

export function createEncodedJsonReader(pool: Pool<PredictTasks>): ReadEncodedJson {
  return async (bytes, signal) =>
    bytes.length <= MAX_INLINE_BYTES
      ? readEncodedJson(bytes)
      : pool.run('readEncoded', { bytes }, signal(), transferableBuffers([bytes]));
}
