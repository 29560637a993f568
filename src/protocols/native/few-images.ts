/** The limit of images for options that make a response slow or large. */
import { AtelierError } from '../../errors.ts';

/** Diagnosing as many images takes a second or two; float32 pixels take 15 KB of JSON per image. */
export const MAX_IMAGES = { diagnose: 10_000, input: 1000 } as const;

/** @throws AtelierError `impossible-request` for more images than the parameter allows */
export function assertFewImages(count: number, parameter: keyof typeof MAX_IMAGES): void {
  if (count <= MAX_IMAGES[parameter]) return;
  const most = MAX_IMAGES[parameter].toLocaleString('en');
  throw new AtelierError(
    'impossible-request',
    `${count.toLocaleString('en')} images were sent; ?${parameter} allows at most ${most}. Send fewer, or omit ?${parameter}.`,
    { details: [{ parameter, detail: `allows at most ${most} images` }] },
  );
}
