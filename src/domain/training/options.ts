/** Options of a training, with their limits. The formulas are in `numerics/`. */

import { z } from 'zod';
import { MAX_CLASSES, MIN_CLASSES } from '../datasets/representation.ts';
import { publishedReferenceSchema } from '../models/reference.ts';
import { FLOAT32_MINIMUMS } from './float32-minimums.ts';

export const MAX_BATCH_SIZE = 1024;

const learningRate = z.number().gt(0).max(100);
const momentum = z.number().min(0).lt(1).default(0);
const weightDecay = z.number().min(0).max(100).describe('Applies to weights, not to biases');
const decayRate = (value: number) => z.number().min(0).lt(1).default(value);
const epsilon = z.number().gt(0).max(1).describe(`At least ${FLOAT32_MINIMUMS.epsilon}`).default(1e-8);

export const optimizerSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('sgd').default('sgd'),
      learningRate: learningRate.default(0.1),
      momentum,
      nesterov: z.boolean().default(false),
      weightDecay: weightDecay.default(0),
    }),
    z.strictObject({
      type: z.literal('rmsprop'),
      learningRate: learningRate.default(0.001),
      momentum,
      weightDecay: weightDecay.default(0),
      alpha: decayRate(0.99),
      epsilon,
    }),
    ...(['adam', 'adamw'] as const).map((type) =>
      z.strictObject({
        type: z.literal(type),
        learningRate: learningRate.default(0.001),
        beta1: decayRate(0.9),
        beta2: decayRate(0.999),
        epsilon,
        weightDecay: weightDecay.default(type === 'adamw' ? 0.01 : 0),
      }),
    ),
  ],
  // A request without a type means sgd.
  { unionFallback: true },
);

const factor = z.number().gt(0).lt(1);
const final = z.number().min(0).max(1).default(0);
const patience = z.int().min(1).max(10_000);
const minDelta = z.number().min(0).max(100).default(0);

export const scheduleSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('constant') }),
  z.strictObject({
    type: z.literal('step'),
    every: z.int().min(1).max(10_000).describe('Epochs'),
    factor: factor.default(0.1),
  }),
  z.strictObject({ type: z.literal('exponential'), factor: z.number().gt(0).max(1).describe('Per epoch') }),
  z.strictObject({
    type: z.literal('cosine'),
    final: final.describe('Learning rate at the end, as a fraction of the initial rate'),
  }),
  z.strictObject({
    type: z.literal('warmup-cosine'),
    warmupEpochs: z.number().gt(0).max(10_000).default(1),
    final,
  }),
  z.strictObject({
    type: z.literal('cosine-restarts'),
    period: z.number().gt(0).max(10_000).describe('Epochs until the first restart'),
    periodFactor: z.int().min(1).max(10).default(1).describe('Each period is this many times the one before'),
    final: final.describe('Learning rate that each period falls to, as a fraction of the initial rate'),
  }),
  z.strictObject({
    type: z.literal('plateau'),
    factor: factor.default(0.1),
    patience: patience.default(10),
    minDelta,
  }),
  z.strictObject({
    type: z.literal('one-cycle'),
    peak: learningRate.describe('Highest learning rate; the rate rises to it from `optimizer.learningRate`'),
    warmupFraction: z.number().gt(0).lt(1).default(0.3),
    final: z
      .number()
      .min(0)
      .max(1)
      .default(1e-4)
      .describe('Learning rate at the end, as a fraction of the peak'),
  }),
]);

export const augmentationSchema = z.strictObject({
  horizontalFlip: z.boolean().default(false).describe('Mirrors each image with probability 1/2'),
  shift: z.int().min(0).max(14).default(0).describe('Largest shift in x and in y, in pixels'),
  rotation: z
    .number()
    .min(0)
    .max(45)
    .default(0)
    .describe('Largest angle by which images are rotated in either direction, in degrees'),
  scale: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe(
      'Largest change of the size of images, as a fraction: 0.2 makes them up to 20 % smaller or larger',
    ),
  noise: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Standard deviation of the noise, as a fraction of the range of the pixels'),
  erase: z.number().min(0).max(1).default(0).describe('Probability that a rectangle is erased'),
});

export const mixupSchema = z.strictObject({
  alpha: z.number().gt(0).max(1).default(0.2).describe('α of the distribution Beta(α, α) of λ'),
});

export const distillationSchema = z.strictObject({
  teachers: z
    .array(publishedReferenceSchema)
    .min(1)
    .max(8)
    .describe(
      'Models whose probabilities are averaged; a name alone means the champion, else the newest version. They must have the ' +
        'classes of the data set',
    ),
  weight: z.number().gt(0).max(1).default(0.5).describe('Part of the target that comes from the teachers'),
});

export const emaSchema = z.strictObject({
  decay: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.999)
    .describe('Fraction of the average that each step keeps; at most (1 + t) / (10 + t) in step t'),
});

export const earlyStoppingSchema = z
  .strictObject({
    monitor: z
      .enum(['validationLoss', 'validationAccuracy'])
      .default('validationLoss')
      .describe('Measure that must improve'),
    patience: patience.default(5).describe('Epochs without an improvement after which the training ends'),
    minDelta: minDelta.describe('Smallest change that counts as an improvement'),
    restoreBest: z
      .boolean()
      .default(true)
      .describe('Whether the result has the parameters of the best epoch instead of the last one'),
  })
  .describe('Ends the training when the validation images show no more improvement');

export const budgetSchema = z.strictObject({
  seconds: z.number().gt(0).max(604_800).optional().describe('Time of training after which it ends'),
  targetValidationAccuracy: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('Accuracy on the validation images at which the training ends'),
});

export const classWeightsSchema = z.union([
  z.literal('balanced'),
  z.array(z.number().min(0).max(1e6)).min(MIN_CLASSES).max(MAX_CLASSES),
]);
