/** What a prediction shows of a row of probabilities. */
import { z } from 'zod';
import { argmax } from '../numerics/reference/cross-entropy.ts';
import { type Diagnosis, diagnosisSchema } from './diagnosis.ts';
import type { VersionReference } from './model-reference.ts';
import { wholeNumber } from './primitives.ts';

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');

/** How the images of any body are read, and whether they are looked at. */
export const imageQuery = {
  pixels: z.enum(['0-1', '0-255']).optional().describe('Scale of the numbers of a JSON or npy body'),
  fit: z
    .enum(['contain'])
    .optional()
    .describe(
      'Resizes pictures of any size to 28×28, as a whole, on black; one that is not 28×28 is refused by default',
    ),
  diagnose: flag.describe(
    'Whether to say where an image does not look like those of the training; at most 10,000 images',
  ),
};
export type ImageQuery = Pick<PredictionQuery, 'pixels' | 'fit'>;

export const predictionQuerySchema = z.strictObject({
  topK: wholeNumber(1, 100).optional().describe('The k likeliest classes instead of all'),
  logits: flag.describe('Whether to add the logits'),
  ...imageQuery,
});

export type PredictionQuery = z.output<typeof predictionQuerySchema>;

export interface PredictionOptions {
  readonly topK?: number | undefined;
  readonly logits: boolean;
}

const ranked = { label: z.int(), className: z.string(), probability: z.number() };

export const predictionsSchema = z
  .object({
    model: z.object({ name: z.string(), version: z.int() }),
    predictions: z.array(
      z.object({
        ...ranked,
        probabilities: z.array(z.number()).optional().describe('One a class; left out with topK'),
        top: z.array(z.object(ranked)).optional().describe('With topK: the likeliest first'),
        logits: z.array(z.number()).optional(),
        diagnosis: diagnosisSchema.optional().describe('With diagnose'),
      }),
    ),
  })
  .meta({ id: 'Predictions' });
export type Predictions = z.infer<typeof predictionsSchema>;
export type Prediction = Predictions['predictions'][number];

/** Array.from takes as long as the prediction itself. */
export function toArray(row: Float32Array): number[] {
  const numbers: number[] = [];
  for (let k = 0; k < row.length; k++) numbers.push(row[k]!);
  return numbers;
}

/** The rows of a row-major matrix, not copied. */
export function matrixRows(matrix: Float32Array, columns: number): Float32Array[] {
  return Array.from({ length: matrix.length / columns }, (_, n) =>
    matrix.subarray(n * columns, (n + 1) * columns),
  );
}

/** Classes by falling probability; of equals the lower label first. */
export function rankClasses(probabilities: ArrayLike<number>, classNames: readonly string[], k: number) {
  return Array.from(probabilities, (probability, label) => ({
    label,
    className: classNames[label]!,
    probability,
  }))
    .sort((a, b) => b.probability - a.probability || a.label - b.label)
    .slice(0, k);
}

/**
 * @param probabilities n × classes, row-major
 * @param logits n × classes, row-major
 * @param diagnoses one an image
 */
export function describePredictions(
  model: VersionReference,
  classNames: readonly string[],
  probabilities: Float32Array,
  logits: Float32Array,
  options: PredictionOptions,
  diagnoses: readonly Diagnosis[] | null = null,
): Predictions {
  const classes = classNames.length;
  const predictions: Prediction[] = [];
  for (let start = 0; start < probabilities.length; start += classes) {
    const row = probabilities.subarray(start, start + classes);
    const label = argmax(row);
    const prediction: Prediction = { label, className: classNames[label]!, probability: row[label]! };
    if (options.topK === undefined) prediction.probabilities = toArray(row);
    else prediction.top = rankClasses(row, classNames, options.topK);
    if (options.logits) prediction.logits = toArray(logits.subarray(start, start + classes));
    if (diagnoses) prediction.diagnosis = diagnoses[predictions.length]!;
    predictions.push(prediction);
  }
  return { model: { name: model.name, version: model.version }, predictions };
}
