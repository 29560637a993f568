/** Compares images with the training images of the model (`?diagnose=true`). */

import { IMAGE_PIXELS } from '../../domain/datasets/representation.ts';
import { type Diagnosis, describeDiagnosis } from '../../domain/predictions/diagnosis.ts';
import type { ImageBatch } from '../../images/batch.ts';
import { listCorrections, type ReceivedImages } from '../../images/decode.ts';
import { diagnose } from '../../numerics/diagnosis/diagnose.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import { assertFewImages } from './few-images.ts';

/**
 * @param images as received; they hold the corrections that decoding made
 * @param batch the same images, decoded
 * @throws AtelierError `impossible-request` for more than 10,000 images
 */
export function diagnoseImages(
  images: ReceivedImages,
  { count, pixels }: ImageBatch,
  statistics: ImageStatistics,
): Diagnosis[] {
  assertFewImages(count, 'diagnose');
  const corrected = listCorrections(images);
  return Array.from({ length: count }, (_, n) => {
    const image = pixels.subarray(n * IMAGE_PIXELS, (n + 1) * IMAGE_PIXELS);
    return describeDiagnosis(diagnose(image, statistics), corrected[n]);
  });
}
