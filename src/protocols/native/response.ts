/** The native response as JSON or npy. It needs no schemas, which a thread of predictions would load for it. */
import type { VersionReference } from '../../domain/models/reference.ts';
import { npyBytes } from '../../formats/arrays/npy.ts';
import { judgementRows } from '../../numerics/calibration/judge.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import type { Outputs, ServedModel } from '../codec.ts';
import { rankClasses, toArray } from '../probabilities.ts';
import type { Prediction, PredictionOptions, Predictions } from './schema.ts';

interface PerImage {
  /** Names of the files of a form. */
  readonly files?: readonly string[] | undefined;
  /** Returns the pixels of an image in rows. */
  readonly inputRows?: ((image: number) => NonNullable<Prediction['input']>) | undefined;
}

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
  { files, inputRows }: PerImage = {},
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
    if (inputRows) prediction.input = inputRows(predictions.length);
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
