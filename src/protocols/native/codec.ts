/** Codec of the native protocol: images in any accepted content type → JSON or npy. */

import { toImageRows } from '../../domain/image-shape.ts';
import type { VersionReference } from '../../domain/models/reference.ts';
import { npyBytes } from '../../formats/arrays/npy.ts';
import { decodeImages, type ReceivedImages } from '../../images/decode.ts';
import { judgementRows } from '../../numerics/calibration/judge.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import { type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import type { Pixels } from '../../numerics/training/engine.ts';
import type { Codec, Guarantee, Outputs, ServedModel } from '../codec.ts';
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
    const { options, format } = request;
    const body =
      format === 'npy'
        ? encodeNpy(outputs, classNames.length)
        : JSON.stringify(describePredictions(reference, classNames, outputs, options, request));
    return { body, jsonBytes: null };
  },
};

export function encodeNpy({ probabilities, judgements }: Outputs, classes: number): Uint8Array {
  const images = probabilities.length / classes;
  if (judgements === undefined) return npyBytes(probabilities, [images, classes]);
  return npyBytes(judgementRows(judgements, classes), [images, classes + 1]);
}

/** The JSON of images if only their predictions are known. */
export function writePredictions(
  { reference, classNames }: ServedModel,
  outputs: Outputs,
  options: PredictionOptions,
): string {
  return JSON.stringify(describePredictions(reference, classNames, outputs, options));
}

/**
 * @param perImage what else is known about each image
 */
export function describePredictions(
  model: VersionReference,
  classNames: readonly string[],
  { probabilities, logits, calibration, judgements, diagnoses }: Outputs,
  options: PredictionOptions,
  { files, input = null }: Partial<Omit<NativeFormat, 'options' | 'format'>> = {},
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
    if (judgements) {
      const reason = judgements.reasons[predictions.length]!;
      const isInSet = ({ label }: { readonly label: number }) => judgements.sets[start + label] === 1;
      prediction.classes = rankClasses(row, classNames, classes).filter(isInSet);
      prediction.unsure = reason !== null;
      prediction.unsureBecause = reason;
    }
    predictions.push(prediction);
  }
  const named = { name: model.name, version: model.version };
  return calibration ? { model: named, calibration, predictions } : { model: named, predictions };
}

function toRows({ pixels, shape }: NonNullable<NativeFormat['input']>, image: number) {
  const values = valueCount(shape);
  return toImageRows(pixels.subarray(image * values, (image + 1) * values), shape);
}
