/** Requests and reports of gradient checks. `numerics/checks/gradient.ts` runs the checks. */
import { z } from 'zod';
import { MISTAKES } from '../../numerics/checks/submitted/mistakes.ts';
import { networkSchema, seedSchema } from '../jobs/request.ts';
import { kernelDifferenceSchema } from '../jobs/training.ts';
import { modelReferenceSchema } from '../models/reference.ts';

export const DEFAULT_CHECK_EXAMPLES = 5;
export const MAX_CHECK_EXAMPLES = 1000;

export const SCHEMES = ['central', 'forward'] as const;

export const gradientCheckRequestSchema = z
  .strictObject({
    dataset: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe(
        "By default the model's training data set if a model is given and its data set is known, else fashion-mnist",
      ),
    examples: z
      .union([z.int().min(1).max(MAX_CHECK_EXAMPLES), z.array(z.int().min(0)).min(1).max(MAX_CHECK_EXAMPLES)])
      .optional()
      .describe(
        `Number of training images, from the first, or the indices of training images; by default ${DEFAULT_CHECK_EXAMPLES}, or all of them if there are fewer`,
      ),
    network: networkSchema
      .optional()
      .describe(
        'Network to initialise from the seed; the default network if neither network nor model is given',
      ),
    model: modelReferenceSchema.optional().describe('Trained model to check instead of a network'),
    scheme: z.enum(SCHEMES).default('central'),
    stepSize: z
      .number()
      .min(1e-12)
      .max(1e-1)
      .optional()
      .describe(
        'Step of the finite difference; by default 1e-5 (central), 1e-6 (central, with convolutions) or √2⁻⁵² (forward)',
      ),
    coordinates: z
      .union([z.literal('all'), z.strictObject({ sample: z.int().min(1).max(10_000_000) })])
      .optional()
      .describe(
        'Coordinates of the packed parameters to check; by default all, or with convolutions a sample of at most 1,000, spread evenly over the blocks, that takes a few seconds',
      ),
    tolerance: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe(
        'Largest ‖a − n‖ of a block (a: analytic, n: numeric) relative to max(‖a‖, ‖n‖), in addition to its `noise`; by default 1e-6 (central) or 1e-4 (forward)',
      ),
    seed: seedSchema.default(0).describe('Seed of the initial parameters and of the sample'),
  })
  .refine((request) => request.network === undefined || request.model === undefined, {
    path: ['model'],
    message: 'must not be combined with network',
  })
  .meta({ id: 'GradientCheckRequest' });
export type GradientCheckRequest = z.output<typeof gradientCheckRequestSchema>;

const submittedGradientSchema = z
  .object({
    agrees: z.boolean().describe('Whether every block agrees'),
    relativeError: z
      .number()
      .nullable()
      .describe('‖g − r‖ / max(‖g‖, ‖r‖), g: given, r: right; null if a number is not finite'),
    cosine: z
      .number()
      .nullable()
      .describe('Cosine of the angle between the gradients; null if one of them is 0 or not finite'),
    triedAll: z
      .boolean()
      .describe(
        'Whether all mistakes were tried on the blocks that differ; false if this would have taken more than seconds, so a block without a hint may still contain one of them',
      ),
    blocks: z.array(
      z.object({
        name: z.string(),
        agrees: z.boolean().describe('Whether ‖g − r‖ ≤ tolerance · max(‖g‖, ‖r‖), apart from rounding'),
        tolerance: z
          .number()
          .describe(
            'The `tolerance` of the request; by default 1e-6, or 1e-4 for a block whose numbers are all float32',
          ),
        relativeError: z.number().nullable(),
        largest: z
          .object({ index: z.array(z.int()), given: z.number().nullable(), right: z.number() })
          .describe('The coordinate with the largest |g − r|, or the first one that is not finite'),
        hint: z
          .object({
            kind: z.enum(MISTAKES),
            factor: z
              .number()
              .optional()
              .describe(
                'Factor of the right numbers, left out if it is 1 or the kind is `sign`; for `penalty-missing` the factor of the parameters that were added',
              ),
            sentence: z.string(),
          })
          .nullable()
          .describe('The mistake that explains the numbers; null if the block agrees, or none was found'),
      }),
    ),
  })
  .describe(
    'The gradient of the form, compared with the gradient of the reference in all coordinates; only if one was sent',
  );

export const gradientCheckSchema = z
  .object({
    passed: z.boolean(),
    reason: z
      .enum(['gradient-differs', 'too-many-kinks', 'step-too-small', 'parameters-too-large'])
      .nullable()
      .describe('Why the check failed; null if it passed'),
    advice: z.string().nullable().describe('What to do if the check failed'),
    error: z
      .number()
      .describe('‖analytic − numeric‖ over all coordinates, as scipy.optimize.check_grad computes it'),
    relativeError: z.number().describe('‖a − n‖ / max(‖a‖, ‖n‖) over the coordinates without a kink'),
    tolerance: z
      .number()
      .describe(
        'A block passes if ‖a − n‖ ≤ tolerance · max(‖a‖, ‖n‖) + noise, over its coordinates without a kink',
      ),
    noise: z
      .number()
      .describe('Allowance for the rounding noise of the differences, over all coordinates without a kink'),
    scheme: z.enum(SCHEMES),
    stepSize: z.number(),
    loss: z.number().describe('Mean cross-entropy of the examples, in nats'),
    coordinates: z.int().describe('Number of coordinates checked'),
    kinks: z
      .int()
      .describe(
        'Number of coordinates whose step crosses a kink of ReLU, or with convolutions switches a maximum of the pooling',
      ),
    durationMs: z.number(),
    blocks: z.array(
      z.object({
        name: z.string(),
        shape: z.array(z.int()),
        coordinates: z.int(),
        passed: z.boolean().describe('Whether ‖a − n‖ ≤ tolerance · max(‖a‖, ‖n‖) + noise'),
        error: z.number(),
        relativeError: z.number(),
        noise: z
          .number()
          .describe('Allowance for the rounding noise of the differences, in addition to the tolerance'),
        allclose: z
          .boolean()
          .describe(
            'Whether |a − n| ≤ 1e-8 + 1e-3 |n| in each coordinate without a kink, as numpy.allclose computes it; for comparison only, it does not affect the result',
          ),
        kinks: z.int(),
        worst: z.object({ index: z.array(z.int()), analytic: z.number(), numeric: z.number() }).nullable(),
      }),
    ),
    kernel: kernelDifferenceSchema.nullable().describe('Difference between the kernel and the reference'),
    submitted: submittedGradientSchema.optional(),
  })
  .meta({ id: 'GradientCheck' });
export type GradientCheck = z.infer<typeof gradientCheckSchema>;

/** An event of a check whose progress is streamed. The last one is a result or an error. */
export type GradientCheckEvent = { readonly id: number } & (
  | { readonly type: 'progress'; readonly data: { readonly done: number; readonly coordinates: number } }
  | { readonly type: 'result'; readonly data: GradientCheck }
  | { readonly type: 'error'; readonly data: { readonly code: string; readonly message: string } }
);
