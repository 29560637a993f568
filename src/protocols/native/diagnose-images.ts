/** Says of images whether they look like those of a training. */
import { type EncodedImages, listCorrections } from '../../datasets/decode-images.ts';
import type { ImageBatch } from '../../datasets/image-batch.ts';
import { IMAGE_PIXELS } from '../../domain/dataset.ts';
import { type Diagnosis, describeDiagnosis } from '../../domain/diagnosis.ts';
import { AtelierError } from '../../errors.ts';
import { diagnose } from '../../numerics/diagnosis/diagnose.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';

/** A second or two. */
export const MAX_DIAGNOSED = 10_000;

/**
 * @param images as they came
 * @param batch the same, decoded
 * @throws AtelierError `impossible-request` for more than 10,000
 */
export function diagnoseImages(
  images: EncodedImages,
  { count, pixels }: ImageBatch,
  statistics: ImageStatistics,
): Diagnosis[] {
  if (count > MAX_DIAGNOSED) {
    const most = MAX_DIAGNOSED.toLocaleString('en');
    throw new AtelierError(
      'impossible-request',
      `${count.toLocaleString('en')} images were sent; at most ${most} are diagnosed at a time. Send fewer, or leave ?diagnose out.`,
      { details: [{ parameter: 'diagnose', detail: `takes at most ${most} images` }] },
    );
  }
  const corrected = listCorrections(images);
  return Array.from({ length: count }, (_, n) => {
    const image = pixels.subarray(n * IMAGE_PIXELS, (n + 1) * IMAGE_PIXELS);
    return describeDiagnosis(diagnose(image, statistics), corrected[n]);
  });
}
