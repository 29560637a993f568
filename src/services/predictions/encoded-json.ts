/** Reads JSON with encoded images: few bytes on the main thread, more in a worker thread. */
import { type EncodedJsonImage, readEncodedJson } from '../../images/json-encoded.ts';
import type { PredictTasks } from '../../workers/messages/by-pool.ts';
import type { Pool } from '../../workers/threads/pool.ts';
import { transferableBuffers } from '../../workers/threads/transfer.ts';
import { MAX_INLINE_BYTES } from './predict.ts';

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
