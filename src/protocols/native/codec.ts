/** Codec of the native protocol: images in any accepted content type → JSON or npy. */

import { toImageRows } from '../../domain/image-shape.ts';
import type { VersionReference } from '../../domain/models/reference.ts';
import type { Diagnosis } from '../../domain/predictions/diagnosis.ts';
import { npyBytes } from '../../formats/arrays/npy.ts';
import { decodeImages, type ReceivedImages } from '../../images/decode.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import { type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import type { Pixels } from '../../numerics/training/engine.ts';
import type { Codec, Outputs, ServedModel } from '../codec.ts';
import { rankClasses, toArray } from '../probabilities.ts';
import { diagnoseImages } from './diagnose-images.ts';
import { assertFewImages } from './few-images.ts';
import type { Prediction, PredictionOptions, Predictions } from './schema.ts';

export interface NativeBody {
  readonly images: ReceivedImages;
  readonly options: PredictionOptions;
  readonly format: 'json' | 'npy';
  /** Statistics of the training images to compare with; null without `?diagnose`. */
  readonly imageStatistics: ImageStatistics | null;
}

interface NativeFormat extends Pick<NativeBody, 'options' | 'format'> {
  /** One per image. */
  readonly diagnoses: readonly Diagnosis[] | null;
  /** One per image of a form: the name of its file. */
  readonly files: readonly string[] | undefined;
  /** All images, and the shape of one; null without `?input`. */
  readonly input: { readonly pixels: Pixels; readonly shape: ImageShape } | null;
}

export const nativeCodec: Codec<NativeBody, NativeFormat> = {
  decode({ images, options, format, imageStatistics }, { architecture: { inputShape } }) {
    const batch = decodeImages(images, inputShape);
    const diagnoses = imageStatistics && diagnoseImages(images, batch, inputShape, imageStatistics);
    if (options.input) assertFewImages(batch.count, 'input');
    const input = options.input ? { pixels: batch.pixels, shape: inputShape } : null;
    return { batch, responseFormat: { options, format, diagnoses, files: batch.files, input }, diagnoses };
  },

  /** JSON text, or the (n, classes) float32 matrix of probabilities as npy. */
  encode({ probabilities, logits }, request, { reference, classNames }) {
    const classes = classNames.length;
    const body =
      request.format === 'npy'
        ? npyBytes(probabilities, [probabilities.length / classes, classes])
        : JSON.stringify(
            describePredictions(reference, classNames, probabilities, logits, request.options, request),
          );
    return { body, jsonBytes: null };
  },
};

/** The JSON of images if only their predictions are known. */
export function writePredictions(
  { reference, classNames }: ServedModel,
  { probabilities, logits }: Outputs,
  options: PredictionOptions,
): string {
  return JSON.stringify(describePredictions(reference, classNames, probabilities, logits, options));
}

/**
 * @param probabilities n × classes, row-major
 * @param logits n × classes, row-major
 * @param perImage what else is known about each image
 */
export function describePredictions(
  model: VersionReference,
  classNames: readonly string[],
  probabilities: Float32Array,
  logits: Float32Array,
  options: PredictionOptions,
  { diagnoses = null, files, input = null }: Partial<Omit<NativeFormat, 'options' | 'format'>> = {},
): Predictions {
  const classes = classNames.length;
  const predictions: Prediction[] = [];
  for (let start = 0; start < probabilities.length; start += classes) {
    const row = probabilities.subarray(start, start + classes);
    const label = argmax(row);
    const prediction: Prediction = { label, className: classNames[label]!, probability: row[label]! };
    if (files) prediction.file = files[predictions.length]!;
    if (options.topK === undefined) prediction.probabilities = toArray(row);
    else prediction.top = rankClasses(row, classNames, options.topK);
    if (options.logits) prediction.logits = toArray(logits.subarray(start, start + classes));
    if (input) prediction.input = toRows(input, predictions.length);
    if (diagnoses) prediction.diagnosis = diagnoses[predictions.length]!;
    predictions.push(prediction);
  }
  return { model: { name: model.name, version: model.version }, predictions };
}

function toRows({ pixels, shape }: NonNullable<NativeFormat['input']>, image: number) {
  const values = valueCount(shape);
  return toImageRows(pixels.subarray(image * values, (image + 1) * values), shape);
}
