/** Requests for training jobs, as sent and with all defaults filled in. */
import { z } from 'zod';
import { CONVOLUTION_LIMITS, GROUP_CHANNELS, NORMS } from '../../numerics/network/architecture.ts';
import { INITIALIZATIONS } from '../../numerics/network/initialize.ts';
import { activationSchema } from '../models/activation.ts';
import { modelReferenceSchema, nameSchema } from '../models/reference.ts';
import { metadataSchema, newMetadataSchema } from '../primitives.ts';
import { FLOAT32_MINIMUMS, findUnderflows } from '../training/float32-minimums.ts';
import {
  augmentationSchema,
  budgetSchema,
  classWeightsSchema,
  distillationSchema,
  earlyStoppingSchema,
  emaSchema,
  MAX_BATCH_SIZE,
  mixupSchema,
  optimizerSchema,
  scheduleSchema,
} from '../training/options.ts';
import { publishSchema } from '../training/publication.ts';
import { notifySchema } from './notify.ts';
import { prioritySchema } from './priority.ts';

export const DEFAULT_HIDDEN = [40];
const channels = z.int().min(1).max(CONVOLUTION_LIMITS.channels);
/** Stages of convolutions: the output channels of one convolution, or of several. */
export const stagesSchema = z
  .array(z.union([channels, z.array(channels).min(1).max(CONVOLUTION_LIMITS.perStage)]))
  .max(CONVOLUTION_LIMITS.stages);

/** The part of a network that the data set does not determine. */
export const networkSchema = z.strictObject({
  convolutions: stagesSchema
    .default([])
    .describe(
      'Stages of 3×3 convolutions before the hidden layers: the output channels of one convolution, or a list of them, such as ' +
        '[16, 32] or [[32, 32], [64, 64]]. A stage ends with 2×2 max pooling, which halves height and width',
    ),
  norm: z
    .enum(NORMS)
    .default('none')
    .describe(
      `group: group normalization after each convolution, in groups of ${GROUP_CHANNELS} channels, of each image by itself`,
    ),
  hidden: z
    .array(z.int().min(1).max(4096))
    .max(8)
    .default(DEFAULT_HIDDEN)
    .describe('Units of each hidden layer'),
  activation: activationSchema.default('relu').describe('Activation of convolutions and hidden layers'),
  init: z
    .enum(INITIALIZATIONS)
    .default('uniform-fan-in')
    .describe('uniform-fan-in: weights uniform in ±1/√inputs, biases 0.01; he, glorot: biases 0'),
});

export const seedSchema = z.int().min(0).max(0xffffffff);

/** Checkpoints of a succeeded job that are kept; `all` keeps the best and the last three, like a running job. */
export const KEPT_CHECKPOINTS = ['best', 'last', 'all', 'none'] as const;
export type KeptCheckpoints = (typeof KEPT_CHECKPOINTS)[number];

/** When a training measures the test split. The parameters do not depend on it. */
export const TEST_SETS = ['every-epoch', 'once', 'never'] as const;

/** Fraction that is held out by default if the data set has no validation split. */
export const DEFAULT_FRACTION = 0.1;

const trainingSchema = z.strictObject({
  epochs: z.int().min(1).max(10_000).default(10),
  batchSize: z.int().min(1).max(MAX_BATCH_SIZE).default(64),
  threads: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Number of threads; at most one per core is used. The result does not depend on it'),
  optimizer: optimizerSchema.prefault({}),
  schedule: scheduleSchema.default({ type: 'constant' }),
  l1: z.number().min(0).max(100).default(0).describe('Factor of Σ|W|; biases are not penalized'),
  l2: z.number().min(0).max(100).default(0).describe('Factor of ½ Σ‖W‖²; biases are not penalized'),
  dropout: z.number().min(0).lt(1).default(0).describe('Probability that a hidden unit is dropped'),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  clipNorm: z
    .number()
    .gt(0)
    .max(1e6)
    .nullable()
    .default(null)
    .describe(`Largest 2-norm of the gradient, at least ${FLOAT32_MINIMUMS.clipNorm}`),
  classWeights: classWeightsSchema
    .nullable()
    .default(null)
    .describe(`"balanced", or one number per class, each 0 or at least ${FLOAT32_MINIMUMS.classWeight}`),
  standardize: z
    .boolean()
    .default(false)
    .describe(
      'Whether to subtract the mean of the pixels and divide by their standard deviation, by channel in colour images; both are stored with the model',
    ),
  augmentation: augmentationSchema.prefault({}),
  mixup: mixupSchema
    .nullable()
    .default(null)
    .describe(
      'Mixes each image with another one of its batch, λ x + (1 − λ) x′, and their losses in the same way; λ is drawn for each batch',
    ),
  distillation: distillationSchema
    .nullable()
    .default(null)
    .describe(
      'Trains towards the probabilities that other models give the training images, as well as towards the labels. They are ' +
        'computed once, without augmentation',
    ),
  ema: emaSchema
    .nullable()
    .default(null)
    .describe(
      'Exponential moving average of the parameters. The average is measured, published and exported instead of the last parameters',
    ),
  validation: z
    .strictObject({
      fraction: z
        .number()
        .min(0)
        .lt(1)
        .optional()
        .describe(
          `Fraction of each class held out of the training images, by default ${DEFAULT_FRACTION} without a validation split, which is not used with a fraction`,
        ),
      split: z
        .boolean()
        .optional()
        .describe('Whether the validation split of the data set is held out; false means a fraction'),
    })
    .refine(({ fraction, split }) => fraction === undefined || !split, {
      error: 'must have fraction or split, not both',
    })
    .nullable()
    .default({})
    .describe(
      `Images held out for validation: by default the validation split of the data set, or without one a fraction of ${DEFAULT_FRACTION}; null trains on all training images`,
    ),
  trainOnValidation: z
    .boolean()
    .optional()
    .describe(
      'Whether the images of the validation split are training images as well, as if the data set had no such split. A search sets it ' +
        'for a final training on `everything`',
    ),
  earlyStopping: earlyStoppingSchema.nullable().default(null),
  budget: budgetSchema.nullable().default(null).describe('Ends the training after a time or at an accuracy'),
  checkpointEverySeconds: z
    .number()
    .min(1)
    .max(86_400)
    .default(5)
    .describe(
      'Longest time between two checkpoints, in seconds. The end of an epoch also writes one, at most one per second',
    ),
  // Jobs of earlier releases have no value.
  keepCheckpoints: z
    .enum(KEPT_CHECKPOINTS)
    .optional()
    .describe(
      'Checkpoints kept once the job has succeeded, besides those that an unfinished job starts from: the `best`, the ' +
        '`last`, `all` (the best and the last three) or `none`. By default `KEEP_CHECKPOINTS` of the service (`best`)',
    ),
});

export const trainingRequestSchema = z
  .strictObject({
    dataset: z.string().min(1).max(64).describe('Id of a data set'),
    modelName: nameSchema
      .optional()
      .describe('Model to publish the version under; by default the id of the data set'),
    seed: seedSchema.default(0),
    metadata: newMetadataSchema.default({}).describe('Your own names and texts, kept with the job'),
    network: networkSchema.prefault({}),
    training: trainingSchema.prefault({}),
    gradientCheck: z
      .boolean()
      .default(true)
      .describe('Whether a quick gradient check must pass before the training starts'),
    warmStart: modelReferenceSchema
      .nullable()
      .default(null)
      .describe(
        'Model of the same shape to take the initial parameters from; a name alone means its champion, else its newest version',
      ),
    publish: publishSchema.prefault({}).describe('What happens with the result'),
    notify: notifySchema
      .nullish()
      .describe('Webhook that reports the end of the job; null sends nothing, as by default'),
    testSet: z
      .enum(TEST_SETS)
      .default('every-epoch')
      .describe(
        'When the test split is measured: after every epoch, `once` for the parameters that are published, or `never`. ' +
          'Each result counts as a look at the test split. The parameters are the same',
      ),
    priority: prioritySchema
      .default(0)
      .describe(
        'Queued jobs start in the order of their priorities, the highest first; equal ones as they were created. If no slot is free, or too ' +
          'little memory, a job stops a running one of lower priority. That one is queued again and continues from the same step',
      ),
  })
  .superRefine(({ training }, context) => {
    for (const { path, message } of findUnderflows(training)) {
      context.addIssue({ code: 'custom', path: ['training', ...path], message });
    }
  })
  .meta({ id: 'TrainingRequest' });

/** A training request after validation: as sent, with the defaults of the schema filled in. */
export type TrainingRequest = z.output<typeof trainingRequestSchema>;
/**
 * A training request with all defaults filled in, including the model name (by default the data set's id). Versions and
 * receipts hold it, so it lacks the webhook with its secret.
 */
export type ResolvedTrainingRequest = Omit<TrainingRequest, 'notify'> & { modelName: string };

const { notify: _, ...resolvedShape } = trainingRequestSchema.shape;

export const resolvedTrainingRequestSchema = z
  .object({ ...resolvedShape, modelName: nameSchema, metadata: metadataSchema.default({}) })
  .meta({ id: 'ResolvedTrainingRequest' });
