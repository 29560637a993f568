/** Explanations of predictions. `numerics/explanation` computes them. */
import { z } from 'zod';
import { PATCH, STRIDE } from '../../numerics/explanation/occlusion.ts';
import { IMAGE_SIDE } from '../datasets/representation.ts';
import { type VersionReference, versionReferenceSchema } from '../models/reference.ts';
import { wholeNumber } from '../primitives.ts';
import { type Diagnosis, diagnosisSchema } from './diagnosis.ts';
import { imageQuery } from './image-query.ts';

export const explanationQuerySchema = z.strictObject({
  label: wholeNumber(0).optional().describe('Class to explain; by default the most probable one'),
  ...imageQuery,
});

/** null if the network overflows. */
const finiteOrNullSchema = z.number().nullable();
const pixelMapSchema = z.array(z.array(finiteOrNullSchema).length(IMAGE_SIDE)).length(IMAGE_SIDE);

export const explanationSchema = z
  .object({
    model: versionReferenceSchema,
    label: z.int().describe('The explained class'),
    className: z.string(),
    probability: finiteOrNullSchema.describe('Probability of that class; null if the network overflows'),
    predicted: z.object({ label: z.int(), className: z.string(), probability: finiteOrNullSchema }),
    occlusion: z.object({
      patch: z.literal(PATCH).describe('Side of the square that is set to 0, in pixels'),
      stride: z.literal(STRIDE),
      map: pixelMapSchema.describe(
        'For each pixel, the mean drop of the probability over the squares that cover it; positive values support the class',
      ),
    }),
    gradient: z.object({
      of: z.literal('log-probability'),
      map: pixelMapSchema.describe('∂ log p / ∂ pixel, for pixels from 0 to 1'),
    }),
    diagnosis: diagnosisSchema.optional().describe('Present with diagnose=true'),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof explanationSchema>;

/** The computed explanation of one image. Both maps are 28×28, row by row. */
export interface ExplainedImage {
  readonly label: number;
  readonly predicted: number;
  /** One per class. */
  readonly probabilities: ArrayLike<number>;
  readonly occlusion: Float64Array;
  readonly gradient: Float64Array;
}

export function describeExplanation(
  model: VersionReference,
  classNames: readonly string[],
  { label, predicted, probabilities, occlusion, gradient }: ExplainedImage,
  diagnosis: Diagnosis | null = null,
): Explanation {
  const named = (k: number) => ({
    label: k,
    className: classNames[k]!,
    probability: finiteOrNull(probabilities[k]!),
  });
  return {
    model,
    ...named(label),
    predicted: named(predicted),
    occlusion: { patch: PATCH, stride: STRIDE, map: toRows(occlusion) },
    gradient: { of: 'log-probability', map: toRows(gradient) },
    ...(diagnosis && { diagnosis }),
  };
}

function toRows(values: Float64Array): (number | null)[][] {
  return Array.from({ length: IMAGE_SIDE }, (_, y) =>
    Array.from(values.subarray(y * IMAGE_SIDE, (y + 1) * IMAGE_SIDE), finiteOrNull),
  );
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
