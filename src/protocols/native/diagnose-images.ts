/** Compares images with the training images of the model (`?diagnose=true`). */
import { listCorrections, type ReceivedImages } from '../../datasets/decode-images.ts';
import type { ImageBatch } from '../../datasets/image-batch.ts';
import { IMAGE_PIXELS } from '../../domain/dataset.ts';
import { type Diagnosis, describeDiagnosis } from '../../domain/diagnosis.ts';
import { AtelierError } from '../../errors.ts';
import { diagnose } from '../../numerics/diagnosis/diagnose.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';

/** Limit per request: diagnosing this many images takes a second or two. */
export const MAX_DIAGNOSED = 10_000;

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
  if (count > MAX_DIAGNOSED) {
    const most = MAX_DIAGNOSED.toLocaleString('en');
    throw new AtelierError(
      'impossible-request',
      `${count.toLocaleString('en')} images were sent; ?diagnose allows at most ${most}. Send fewer, or omit ?diagnose.`,
      { details: [{ parameter: 'diagnose', detail: `allows at most ${most} images` }] },
    );
  }
  const corrected = listCorrections(images);
  return Array.from({ length: count }, (_, n) => {
    const image = pixels.subarray(n * IMAGE_PIXELS, (n + 1) * IMAGE_PIXELS);
    return describeDiagnosis(diagnose(image, statistics), corrected[n]);
  });
}
