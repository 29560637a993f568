/** Codec of the native protocol: images in any accepted content type → JSON or npy. */

import { toImageRows } from '../../domain/image-shape.ts';
import { decodeImages, type ReceivedImages } from '../../images/decode.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import { type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';
import type { Pixels } from '../../numerics/training/engine.ts';
import type { Codec, Guarantee } from '../codec.ts';
import { diagnoseImages } from './diagnose-images.ts';
import { assertFewImages } from './few-images.ts';
import { describePredictions, encodeNpy } from './response.ts';
import type { PredictionOptions } from './schema.ts';

export interface NativeBody {
  readonly images: ReceivedImages;
  readonly options: PredictionOptions;
  readonly format: 'json' | 'npy';
  /** Statistics of the training images to compare with; null without `?diagnose`. */
  readonly imageStatistics: ImageStatistics | null;
  /** null without `?coverage` and `?calibrated`. */
  readonly guarantee: Guarantee | null;
}

interface NativeFormat extends Pick<NativeBody, 'options' | 'format'> {
  /** One per image of a form: the name of its file. */
  readonly files: readonly string[] | undefined;
  /** All images, and the shape of one; null without `?input`. */
  readonly input: { readonly pixels: Pixels; readonly shape: ImageShape } | null;
}

export const nativeCodec: Codec<NativeBody, NativeFormat> = {
  decode({ images, options, format, imageStatistics, guarantee }, { architecture: { inputShape } }) {
    const batch = decodeImages(images, inputShape);
    const diagnoses = imageStatistics && diagnoseImages(images, batch, inputShape, imageStatistics);
    if (options.input) assertFewImages(batch.count, 'input');
    const input = options.input ? { pixels: batch.pixels, shape: inputShape } : null;
    return {
      batch,
      responseFormat: { options, format, files: batch.files, input },
      diagnoses,
      guarantee,
    };
  },

  /**
   * JSON text, or npy: the (n, classes) float32 matrix of probabilities, or with a coverage the (n, classes + 1) uint8 matrix of
   * the sets and of the reasons, 0 for a sure prediction.
   */
  encode(outputs, request, { reference, classNames }) {
    const { options, format, files, input } = request;
    if (format === 'npy') return { body: encodeNpy(outputs, classNames.length), jsonBytes: null };
    const perImage = { files, inputRows: input ? (image: number) => toRows(input, image) : undefined };
    const described = describePredictions(reference, classNames, outputs, options, perImage);
    return { body: JSON.stringify(described), jsonBytes: null };
  },
};

function toRows({ pixels, shape }: NonNullable<NativeFormat['input']>, image: number) {
  const values = valueCount(shape);
  return toImageRows(pixels.subarray(image * values, (image + 1) * values), shape);
}
