/** The limit of images for options that make a response slow or large. */
import { AtelierError } from '../../errors.ts';

/** Diagnosing this many images takes a second or two; their pixels as JSON take about 30 MB. */
export const MAX_IMAGES = 10_000;

/** @throws AtelierError `impossible-request` for more than 10,000 images */
export function assertFewImages(count: number, parameter: 'diagnose' | 'input'): void {
  if (count <= MAX_IMAGES) return;
  const most = MAX_IMAGES.toLocaleString('en');
  throw new AtelierError(
    'impossible-request',
    `${count.toLocaleString('en')} images were sent; ?${parameter} allows at most ${most}. Send fewer, or omit ?${parameter}.`,
    { details: [{ parameter, detail: `allows at most ${most} images` }] },
  );
}
