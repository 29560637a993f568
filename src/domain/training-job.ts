/** Training jobs: what is asked for, what is shown, and how a job may change its status. */
import { z } from 'zod';
import { AtelierError } from '../errors.ts';
import { epochRecordSchema, progressSchema } from './metrics.ts';
import { nameSchema, versionReferenceSchema } from './model.ts';

export const MAX_BATCH_SIZE = 1024;
export const DEFAULT_HIDDEN = [40];

/** Hidden layers of ReLU units; what the data set does not decide. */
export const networkSchema = z.strictObject({
  hidden: z
    .array(z.int().min(1).max(4096))
    .max(8)
    .default(DEFAULT_HIDDEN)
    .describe('Units of each hidden layer'),
  activation: z.literal('relu').default('relu'),
  init: z
    .literal('uniform-fan-in')
    .default('uniform-fan-in')
    .describe('Weights uniform in ±1/√inputs, biases 0.01'),
});

export const seedSchema = z.int().min(0).max(0xffffffff);

export const scheduleSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('constant') }),
  z.strictObject({
    type: z.literal('exponential'),
    factor: z.number().gt(0).max(1).describe('The rate is multiplied by it after every epoch'),
  }),
]);

const optimizerSchema = z.strictObject({
  type: z.literal('sgd').default('sgd'),
  learningRate: z.number().gt(0).max(100).default(0.1),
});

const trainingSchema = z.strictObject({
  epochs: z.int().min(1).max(10_000).default(10),
  batchSize: z.int().min(1).max(MAX_BATCH_SIZE).default(64),
  optimizer: optimizerSchema.prefault({}),
  schedule: scheduleSchema.default({ type: 'constant' }),
  l2: z.number().min(0).max(100).default(0).describe('Weight of (l2 / 2) Σ‖W‖²; biases are not decayed'),
  validation: z
    .strictObject({ fraction: z.number().min(0).lt(1).default(0.1) })
    .nullable()
    .default({ fraction: 0.1 })
    .describe('Share of the training images held out by class; null trains on everything'),
});

export const trainingRequestSchema = z
  .strictObject({
    dataset: z.string().min(1).max(64).describe('Id of a data set'),
    modelName: nameSchema
      .optional()
      .describe('Model that a version is published of; by default the id of the data set'),
    seed: seedSchema.default(0),
    metadata: z
      .record(z.string().min(1).max(64), z.string().max(256))
      .refine((value) => Object.keys(value).length <= 16, 'at most 16 entries')
      .default({}),
    network: networkSchema.prefault({}),
    training: trainingSchema.prefault({}),
  })
  .meta({ id: 'TrainingRequest' });

/** As it arrives, with its defaults filled in. */
export type TrainingJobRequest = z.output<typeof trainingRequestSchema>;
/** With the model's name, which may depend on the data set. */
export type TrainingRequest = TrainingJobRequest & { modelName: string };

export const JOB_STATUSES = ['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'] as const;
export const jobStatusSchema = z.enum(JOB_STATUSES);
export type JobStatus = z.infer<typeof jobStatusSchema>;

export const STOP_REASONS = ['completed', 'cancelled', 'failed'] as const;

export const trainingJobSchema = z
  .object({
    id: z.string(),
    status: jobStatusSchema,
    ...trainingRequestSchema.shape,
    modelName: nameSchema,
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
    model: versionReferenceSchema.nullable().describe('The version that the job published'),
    attempts: z.int().describe('How often the job was started'),
    stoppedAt: z.object({ step: z.int(), reason: z.enum(STOP_REASONS) }).nullable(),
    digest: z.string().nullable().describe('`sha256:` of the final packed float32 parameters, little-endian'),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'TrainingJob' });
export type TrainingJob = z.output<typeof trainingJobSchema>;

/** Which status may follow which. `running → queued` is a stop of the service, not a failure of the job. */
const TRANSITIONS: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  queued: ['running', 'cancelled'],
  running: ['cancelling', 'succeeded', 'failed', 'queued'],
  cancelling: ['cancelled', 'succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

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
