/** SGD paths: the way of a training through the plane of its two principal components. */
import { z } from 'zod';
import { decimalNumber, wholeNumber } from '../primitives.ts';

export const sgdPathQuerySchema = z.strictObject({
  snapshots: wholeNumber(3, 200)
    .prefault(100)
    .describe('Points of the path, denser at its start: point i of m is step round(steps · (i / (m − 1))²)'),
  grid: wholeNumber(2, 50).prefault(25).describe('Points of the surface in each direction'),
  examples: wholeNumber(1, 1_000_000)
    .prefault(2500)
    .describe(
      'Number of training images whose mean loss is measured, spread evenly over the images trained on; at most all of them',
    ),
  margin: decimalNumber(0, 5)
    .prefault(0.2)
    .describe("Distance of the surface's edge from the path, as a fraction of the path's extent"),
});
export type SgdPathQuery = z.output<typeof sgdPathQuerySchema>;

export const sgdPathSchema = z
  .object({
    jobId: z.string(),
    agrees: z
      .boolean()
      .describe(
        'Whether the repeated training ended with the digest of the job. false on another kernel, or on a processor that rounds differently; the path is then similar, but not the same',
      ),
    digest: z.string().describe('Digest of the parameters of the repeated training'),
    explainedVariance: z
      .array(z.number())
      .length(2)
      .describe("Fractions of the variance of the snapshots along x and y, as scikit-learn's PCA gives them"),
    points: z.array(
      z.object({
        step: z.int(),
        epoch: z.int().describe('Epoch of the step; 0 before the first'),
        x: z.number(),
        y: z.number(),
        loss: z.number().describe('Mean cross-entropy of the snapshot, in nats'),
        planeLoss: z
          .number()
          .describe('The same of its projection onto the plane; it differs most far from the centre'),
      }),
    ),
    surface: z.object({
      x: z.array(z.number()),
      y: z.array(z.number()),
      loss: z.array(z.array(z.number())).describe('`loss[j][i]` belongs to `x[i]` and `y[j]`'),
    }),
    examples: z.int().describe('Number of images whose mean loss was measured'),
    split: z.literal('train'),
  })
  .meta({ id: 'SgdPath' });
export type SgdPath = z.output<typeof sgdPathSchema>;
