/** Requests of KServe v1's explain API → images. */

import type { Fit } from '../../domain/predictions/image-query.ts';
import { readJson, rejectAt } from '../../formats/json/limits.ts';
import type { ReceivedImages } from '../../images/decode.ts';
import type { EncodedImage } from '../../images/sent.ts';
import { type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';
import { fromRows } from '../instances.ts';
import { explainRequestSchema, MAX_EXPLAINED_IMAGES } from './schema.ts';

/**
 * @returns one image per instance
 * @throws AtelierError `malformed-body`, and errors of `fromRows`
 */
export function decodeExplainRequest(
  bytes: Uint8Array,
  image: ImageShape,
  fit: Fit,
): readonly (EncodedImage | ReceivedImages)[] {
  const { instances } = readJson(bytes, explainRequestSchema);
  if (Array.isArray(instances) && instances.length > MAX_EXPLAINED_IMAGES) {
    rejectAt(
      '#/instances',
      `holds ${instances.length} images; the limit of an explanation is ${MAX_EXPLAINED_IMAGES}. Send fewer per request`,
    );
  }
  const images = fromRows(instances, '#/instances', { image, fit });
  if ('encoded' in images) return images.encoded;
  const { count, pixels } = images.batch;
  const values = valueCount(image);
  return Array.from({ length: count }, (_, n) => ({
    kind: 'batch',
    count: 1,
    pixels: pixels.slice(n * values, (n + 1) * values),
  }));
}
