/** Explanations of predictions. `numerics/explanation` computes them. */
import { z } from 'zod';
import { PATCH, STRIDE } from '../../numerics/explanation/occlusion.ts';
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
const pixelMapSchema = z.array(z.array(finiteOrNullSchema));

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
      map: pixelMapSchema.describe(
        '∂ log p / ∂ pixel, for pixels from 0 to 1; in colour, the sum over the channels',
      ),
    }),
    diagnosis: diagnosisSchema.optional().describe('Present with diagnose=true'),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof explanationSchema>;

/** The computed explanation of one image. Both maps have one number per pixel, row by row. */
export interface ExplainedImage {
  readonly label: number;
  readonly predicted: number;
  /** One per class. */
  readonly probabilities: ArrayLike<number>;
  readonly occlusion: Float64Array;
  readonly gradient: Float64Array;
  /** Number of columns of both maps. */
  readonly width: number;
}

export function describeExplanation(
  model: VersionReference,
  classNames: readonly string[],
  { label, predicted, probabilities, occlusion, gradient, width }: ExplainedImage,
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
    occlusion: { patch: PATCH, stride: STRIDE, map: toRows(occlusion, width) },
    gradient: { of: 'log-probability', map: toRows(gradient, width) },
    ...(diagnosis && { diagnosis }),
  };
}

function toRows(values: Float64Array, width: number): (number | null)[][] {
  return Array.from({ length: values.length / width }, (_, y) =>
    Array.from(values.subarray(y * width, (y + 1) * width), finiteOrNull),
  );
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
