/** Training jobs: what is asked for, what is shown, and how a job may change its status. */
import { z } from 'zod';
import { AtelierError } from '../errors.ts';
import { INITIALIZATIONS } from '../numerics/initialize.ts';
import { ACTIVATIONS } from '../numerics/network.ts';
import { LOOP_STOP_REASONS } from '../numerics/stop-reason.ts';
import { epochRecordSchema, progressSchema } from './epoch-record.ts';
import { FLOAT32_MINIMUMS, findUnderflows } from './float32-minimums.ts';
import { modelReferenceSchema, nameSchema, versionReferenceSchema } from './model-reference.ts';
import { metadataSchema } from './primitives.ts';
import { executionEnvironmentSchema, verificationSchema } from './reproducibility.ts';
import {
  augmentationSchema,
  budgetSchema,
  classWeightsSchema,
  earlyStoppingSchema,
  MAX_BATCH_SIZE,
  optimizerSchema,
  scheduleSchema,
} from './training-options.ts';

export const DEFAULT_HIDDEN = [40];

/** Hidden layers; what the data set does not decide. */
export const networkSchema = z.strictObject({
  hidden: z
    .array(z.int().min(1).max(4096))
    .max(8)
    .default(DEFAULT_HIDDEN)
    .describe('Units of each hidden layer'),
  activation: z.enum(ACTIVATIONS).default('relu').describe('Of the hidden layers'),
  init: z
    .enum(INITIALIZATIONS)
    .default('uniform-fan-in')
    .describe('uniform-fan-in: weights uniform in ±1/√inputs, biases 0.01; he, glorot: biases 0'),
});

export const kernelDifferenceSchema = z.object({
  name: z.string(),
  maxRelativeDifference: z
    .number()
    .describe(
      'Largest ‖g32 − g64‖ / ‖g64‖ of a block, on the same images with the class after their own, of which no network is sure',
    ),
});

export const seedSchema = z.int().min(0).max(0xffffffff);

const trainingSchema = z.strictObject({
  epochs: z.int().min(1).max(10_000).default(10),
  batchSize: z.int().min(1).max(MAX_BATCH_SIZE).default(64),
  threads: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Threads of this job; the result does not depend on it'),
  optimizer: optimizerSchema.prefault({}),
  schedule: scheduleSchema.default({ type: 'constant' }),
  l1: z.number().min(0).max(100).default(0).describe('Weight of l1 Σ|W|'),
  l2: z.number().min(0).max(100).default(0).describe('Weight of (l2 / 2) Σ‖W‖²; biases are not decayed'),
  dropout: z.number().min(0).lt(1).default(0).describe('Share of hidden units dropped in a step'),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  clipNorm: z
    .number()
    .gt(0)
    .max(1e6)
    .nullable()
    .default(null)
    .describe(`Largest 2-norm of the gradient; at least ${FLOAT32_MINIMUMS.clipNorm}`),
  classWeights: classWeightsSchema
    .nullable()
    .default(null)
    .describe(`"balanced", or one number a class, 0 or at least ${FLOAT32_MINIMUMS.classWeight}`),
  standardize: z
    .boolean()
    .default(false)
    .describe('Subtract the mean pixel and divide by the standard deviation; stored with the model'),
  augmentation: augmentationSchema.prefault({}),
  validation: z
    .strictObject({ fraction: z.number().min(0).lt(1).default(0.1) })
    .nullable()
    .default({ fraction: 0.1 })
    .describe('Share of the training images held out by class; null trains on everything'),
  earlyStopping: earlyStoppingSchema.nullable().default(null),
  budget: budgetSchema
    .nullable()
    .default(null)
    .describe('Ends the training early: after seconds, or at an accuracy'),
  checkpointEverySeconds: z
    .number()
    .min(1)
    .max(86_400)
    .default(5)
    .describe(
      'Longest time between two checkpoints; the end of an epoch makes one too, at most one a second',
    ),
});

export const trainingRequestSchema = z
  .strictObject({
    dataset: z.string().min(1).max(64).describe('Id of a data set'),
    modelName: nameSchema
      .optional()
      .describe('Model that a version is published of; by default the id of the data set'),
    seed: seedSchema.default(0),
    metadata: metadataSchema.default({}),
    network: networkSchema.prefault({}),
    training: trainingSchema.prefault({}),
    gradientCheck: z
      .boolean()
      .default(true)
      .describe("Start only after a quick check of the network's gradient has passed"),
    warmStart: modelReferenceSchema
      .nullable()
      .default(null)
      .describe(
        'Start from the parameters of a model of the same shape: its champion, else its newest version, where none is named',
      ),
  })
  .superRefine(({ training }, context) => {
    for (const { path, message } of findUnderflows(training)) {
      context.addIssue({ code: 'custom', path: ['training', ...path], message });
    }
  })
  .meta({ id: 'TrainingRequest' });

/** As it arrives, with its defaults filled in. */
export type TrainingRequest = z.output<typeof trainingRequestSchema>;
/** With the model's name, which may depend on the data set. */
export type ResolvedTrainingRequest = TrainingRequest & { modelName: string };

/** What a check before a training says; one of its own at /v1/gradient-checks says more. */
export const gradientCheckSummarySchema = z.object({
  passed: z.boolean(),
  reason: z.string().nullable(),
  advice: z.string().nullable(),
  relativeError: z.number(),
  tolerance: z.number(),
  coordinates: z.int(),
  kinks: z.int(),
  kernel: kernelDifferenceSchema.nullable(),
});
export type GradientCheckSummary = z.infer<typeof gradientCheckSummarySchema>;

export const JOB_STATUSES = [
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export const jobStatusSchema = z.enum(JOB_STATUSES);
export type JobStatus = z.infer<typeof jobStatusSchema>;
/** A thread works on the job. */
export const ACTIVE_STATUSES = ['running', 'pausing', 'cancelling'] as const satisfies readonly JobStatus[];

export const STOP_REASONS = [...LOOP_STOP_REASONS, 'cancelled', 'failed'] as const;

export type StopReason = (typeof STOP_REASONS)[number];

export const resolvedTrainingRequestSchema = z
  .object({ ...trainingRequestSchema.shape, modelName: nameSchema })
  .meta({ id: 'ResolvedTrainingRequest' });
const stoppedAtSchema = z.object({ step: z.int(), reason: z.enum(STOP_REASONS) });
const digestSchema = z
  .string()
  .nullable()
  .describe('`sha256:` of the final packed float32 parameters, little-endian');

/** Everything that the digest depends on, and the digest. */
export const receiptSchema = z
  .object({
    dataset: executionEnvironmentSchema.shape.dataset,
    request: resolvedTrainingRequestSchema,
    seed: seedSchema,
    kernel: executionEnvironmentSchema.shape.kernel,
    fused: executionEnvironmentSchema.shape.fused,
    stoppedAt: stoppedAtSchema,
    digest: digestSchema,
  })
  .meta({ id: 'Receipt' });
export type Receipt = z.output<typeof receiptSchema>;

export const trainingJobSchema = z
  .object({
    id: z.string(),
    status: jobStatusSchema,
    ...resolvedTrainingRequestSchema.shape,
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
    progress: progressSchema,
    latest: epochRecordSchema.nullable().describe('Record of the last finished epoch'),
    best: epochRecordSchema
      .nullable()
      .describe(
        'Record of the epoch with the lowest validation loss, or training loss where nothing is held out',
      ),
    model: versionReferenceSchema
      .nullable()
      .describe('The version that the job published; a verification publishes none'),
    gradientCheckReport: gradientCheckSummarySchema
      .nullable()
      .describe('Of the check before the start; null before it, or where none was asked for'),
    attempts: z
      .int()
      .describe(
        'Which attempt it is since the last checkpoint, of at most three; the end of the whole service counts as none',
      ),
    stoppedAt: stoppedAtSchema.nullable(),
    digest: digestSchema,
    receipt: receiptSchema
      .nullable()
      .describe(
        'When the job has ended: all that its digest depends on. `POST …/verify` trains again from it. null where it never ran',
      ),
    verification: verificationSchema
      .nullable()
      .describe('Of a job that `POST …/verify` made: whether it came to the same parameters'),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'TrainingJob' });
export type TrainingJob = z.output<typeof trainingJobSchema>;

/** Which status may follow which. `running → queued` is a stop of the service, or a further attempt. */
const TRANSITIONS: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  queued: ['running', 'paused', 'cancelled'],
  running: ['pausing', 'cancelling', 'succeeded', 'failed', 'queued'],
  pausing: ['paused', 'cancelling', 'succeeded', 'failed'],
  paused: ['queued', 'cancelled'],
  cancelling: ['cancelled', 'succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

export function isEnded(status: JobStatus): boolean {
  return TRANSITIONS[status].length === 0;
}

/**
 * The one place where a job changes its status.
 * @throws AtelierError `illegal-transition`
 */
export function transition(from: JobStatus, to: JobStatus): JobStatus {
  if (!TRANSITIONS[from].includes(to)) {
    const allowed = TRANSITIONS[from].join(', ') || 'nothing: the job has ended';
    throw new AtelierError(
      'illegal-transition',
      `a ${from} job cannot become ${to}; allowed from here: ${allowed}`,
    );
  }
  return to;
}

export const EVENT_TYPES = ['status', 'progress', 'epoch', 'checkpoint', 'warning', 'error'] as const;

export const jobEventSchema = z
  .object({
    id: z.int().min(1).describe('Counts from 1 within a job, without gaps'),
    type: z.enum(EVENT_TYPES),
    at: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'JobEvent' });
export type JobEvent = z.infer<typeof jobEventSchema>;
export type EventType = JobEvent['type'];
