/** Compares images with the training images of the model (`?diagnose=true`). */

import { type Diagnosis, describeDiagnosis } from '../../domain/predictions/diagnosis.ts';
import type { ImageBatch } from '../../images/batch.ts';
import { listCorrections, type ReceivedImages } from '../../images/decode.ts';
import { diagnose } from '../../numerics/diagnosis/diagnose.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import { type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';
import { assertFewImages } from './few-images.ts';

/**
 * @param images as received; they hold the corrections that decoding made
 * @param batch the same images, decoded
 * @throws AtelierError `impossible-request` for more than 10,000 images
 */
export function diagnoseImages(
  images: ReceivedImages,
  { count, pixels }: ImageBatch,
  image: ImageShape,
  statistics: ImageStatistics,
): Diagnosis[] {
  assertFewImages(count, 'diagnose');
  const corrected = listCorrections(images);
  const values = valueCount(image);
  return Array.from({ length: count }, (_, n) => {
    const row = pixels.subarray(n * values, (n + 1) * values);
    return describeDiagnosis(diagnose(row, image, statistics), corrected[n]);
  });
}
