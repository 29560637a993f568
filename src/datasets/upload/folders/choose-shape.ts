/** Chooses the shape of images in class folders. */
import {
  channelsLast,
  isPlanar,
  MAX_SIDE,
  MIN_SIDE,
  type RequestedShape,
  showImageShape,
} from '../../../domain/image-shape.ts';
import { AtelierError } from '../../../errors.ts';
import { openAnyImage } from '../../../images/encoded.ts';
import { DEFAULT_IMAGE_SHAPE, type ImageShape } from '../../../numerics/network/image-shape.ts';
import type { ChosenShape } from '../form.ts';
import { rejectPart } from '../reject-part.ts';
import { DECODING_BYTES, type ImageArchive } from './images.ts';

/** Limit of the images whose colours are sampled, at equal distances. */
const MAX_SAMPLED = 1000;
/** A pixel is coloured if its channels differ by more. */
const MIN_DIFFERENCE = 16;
/** An image is in colour if more than this fraction of its pixels are coloured. */
const COLOURED_PIXELS = 0.01;
/** A data set is in colour if more than this fraction of its sampled images are. */
const COLOURED_IMAGES = 0.01;
/** Samples are reduced to the largest size of a data set, without borders. */
const SAMPLE = { fit: 'stretch', background: 'black', invert: 'never' } as const;

/**
 * The shape that the form requests, or null with `auto`.
 * @throws AtelierError `invalid-dataset-file`
 */
export function requestedShape(requested: RequestedShape): ChosenShape | null {
  if (requested === 'auto') return null;
  if (isPlanar(requested))
    rejectPart('imageShape', 'images in class folders are [height, width] or [height, width, 3]');
  return { imageShape: channelsLast(requested), reason: 'As requested.' };
}

/**
 * The common size of all images if it is allowed, else the default size; colour if more than 1 % of the images
 * have more than 1 % of coloured pixels. Images that cannot be read are not counted: decoding them reports the defect.
 * @param maxPixels limit of an image
 */
export async function chooseShape(
  { archive, folders: { images } }: ImageArchive,
  maxPixels: number,
): Promise<ChosenShape> {
  const step = Math.ceil(images.length / MAX_SAMPLED);
  const chosen = new Set(images.filter((_, n) => n % step === 0).map(({ file }) => file));
  const whole = new Set(images.map(({ file }) => file));
  const sizes = new Set<string>();
  let [size, sampled, coloured]: [readonly [number, number], number, number] = [DEFAULT_IMAGE_SHAPE, 0, 0];
  for await (const { index, bytes } of archive.read({ whole })) {
    try {
      const image = await openAnyImage(bytes, maxPixels, 'dataset');
      const { height, width } = image;
      size = [height, width];
      sizes.add(size.join());
      if (!chosen.has(index) || image.decodingBytes + bytes.length > DECODING_BYTES) continue;
      const { batch } = await image.decode(SAMPLE, [
        Math.min(height, MAX_SIDE),
        Math.min(width, MAX_SIDE),
        3,
      ]);
      sampled++;
      if (isColoured(batch.pixels)) coloured++;
    } catch (error) {
      if (!(error instanceof AtelierError)) throw error;
    }
  }
  const isCommon = sizes.size === 1 && size.every((side) => side >= MIN_SIDE && side <= MAX_SIDE);
  const [height, width] = isCommon ? size : DEFAULT_IMAGE_SHAPE;
  const inColour = coloured > COLOURED_IMAGES * sampled;
  const sized = isCommon
    ? `All images have ${width}×${height} pixels`
    : sizes.size > 1
      ? `The images have ${sizes.size.toLocaleString('en')} different sizes`
      : `The images have ${size[1]}×${size[0]} pixels, not ${MIN_SIDE} to ${MAX_SIDE} a side`;
  const imageShape: ImageShape = inColour ? [height, width, 3] : [height, width];
  return {
    imageShape,
    reason: `${showImageShape(imageShape)}: ${sized}, and ${coloured} of ${sampled} that were looked at are in colour.`,
  };
}

/** @param pixels of three bytes */
function isColoured(pixels: ArrayLike<number>): boolean {
  let count = 0;
  for (let at = 0; at < pixels.length; at += 3) {
    const [red, green, blue] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > MIN_DIFFERENCE) count++;
  }
  return 3 * count > COLOURED_PIXELS * pixels.length;
}
