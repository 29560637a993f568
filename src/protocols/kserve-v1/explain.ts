/** Requests of KServe v1's explain API → images. */
import type { ImageBatch } from '../../datasets/image-batch.ts';
import { IMAGE_PIXELS } from '../../domain/dataset.ts';
import { readJson, rejectAt } from '../../formats/json-limits.ts';
import { fromRows } from '../instances.ts';
import { explainRequestSchema, MAX_EXPLAINED_IMAGES } from './schema.ts';

/**
 * @returns a batch of one image per instance
 * @throws AtelierError `malformed-body`, and those of `fromRows`
 */
export async function decodeExplainRequest(
  bytes: Uint8Array,
  signal: () => AbortSignal,
): Promise<ImageBatch[]> {
  const { instances } = readJson(bytes, explainRequestSchema);
  if (Array.isArray(instances) && instances.length > MAX_EXPLAINED_IMAGES) {
    rejectAt(
      '#/instances',
      `holds ${instances.length} images; the limit of an explanation is ${MAX_EXPLAINED_IMAGES}. Send fewer per request`,
    );
  }
  const { count, pixels } = await fromRows(instances, '#/instances', signal);
  return Array.from({ length: count }, (_, n) => ({
    count: 1,
    pixels: pixels.slice(n * IMAGE_PIXELS, (n + 1) * IMAGE_PIXELS),
  }));
}
