/** Why a picture is taken for what it is taken for. The mathematics is `numerics/explanation`. */
import { z } from 'zod';
import { PATCH, STRIDE } from '../numerics/explanation/occlusion.ts';
import { IMAGE_SIDE } from './dataset.ts';
import { type VersionReference, versionReferenceSchema } from './model.ts';

export const explanationQuerySchema = z.strictObject({
  label: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('The class that is explained; the likeliest by default'),
  pixels: z.enum(['0-1', '0-255']).optional().describe('Scale of the numbers of a JSON or npy body'),
});

const map = z.array(z.array(z.number()).length(IMAGE_SIDE)).length(IMAGE_SIDE);

export const explanationSchema = z
  .object({
    model: versionReferenceSchema,
    label: z.int().describe('The class that is explained'),
    className: z.string(),
    probability: z.number().describe('Of that class'),
    predicted: z.object({ label: z.int(), className: z.string(), probability: z.number() }),
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
): Explanation {
  const named = (k: number) => ({ label: k, className: classNames[k]!, probability: probabilities[k]! });
  return {
    model,
    ...named(label),
    predicted: named(predicted),
    occlusion: { patch: PATCH, stride: STRIDE, map: rowsOf(occlusion) },
    gradient: { of: 'log-probability', map: rowsOf(gradient) },
  };
}

function rowsOf(values: Float64Array): number[][] {
  return Array.from({ length: IMAGE_SIDE }, (_, y) => [
    ...values.subarray(y * IMAGE_SIDE, (y + 1) * IMAGE_SIDE),
  ]);
}
