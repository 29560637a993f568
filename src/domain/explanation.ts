/** Why a picture is taken for what it is taken for. The mathematics is `numerics/explanation`. */
import { z } from 'zod';
import { PATCH, STRIDE } from '../numerics/explanation/occlusion.ts';
import { IMAGE_SIDE } from './dataset.ts';
import { type Diagnosis, diagnosisSchema } from './diagnosis.ts';
import { imageQuery } from './image-query.ts';
import { type VersionReference, versionReferenceSchema } from './model-reference.ts';
import { wholeNumber } from './primitives.ts';

export const explanationQuerySchema = z.strictObject({
  label: wholeNumber(0).optional().describe('The class that is explained; the likeliest by default'),
  ...imageQuery,
});

/** null where the network overflows. */
const number = z.number().nullable();
const map = z.array(z.array(number).length(IMAGE_SIDE)).length(IMAGE_SIDE);

export const explanationSchema = z
  .object({
    model: versionReferenceSchema,
    label: z.int().describe('The class that is explained'),
    className: z.string(),
    probability: number.describe('Of that class; null where the network overflows'),
    predicted: z.object({ label: z.int(), className: z.string(), probability: number }),
    occlusion: z.object({
      patch: z.literal(PATCH).describe('Side of the square that is set to 0, in pixels'),
      stride: z.literal(STRIDE),
      map: map.describe(
        "Mean drop of the class's probability over the squares that cover a pixel; positive where the class hangs on it",
      ),
    }),
    gradient: z.object({
      of: z.literal('log-probability'),
      map: map.describe('∂ log p / ∂ pixel, pixels being 0–1'),
    }),
    diagnosis: diagnosisSchema.optional().describe('With diagnose'),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof explanationSchema>;

/** What was computed of one picture; both maps are 28×28, row by row. */
export interface ExplainedImage {
  readonly label: number;
  readonly predicted: number;
  /** One a class. */
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
