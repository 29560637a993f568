/** Training jobs: representation and events. */
import { z } from 'zod';
import { LOOP_STOP_REASONS } from '../../numerics/training/stop-reason.ts';
import { versionReferenceSchema } from '../models/reference.ts';
import { publicationSchema } from '../training/publication.ts';
import { executionEnvironmentSchema, verificationSchema } from '../training/reproducibility.ts';
import { epochRecordSchema, progressSchema } from './epoch-record.ts';
import { deliverySchema } from './notify.ts';
import { resolvedTrainingRequestSchema, seedSchema } from './request.ts';
import { JOB_STATUSES } from './status.ts';

export const kernelDifferenceSchema = z.object({
  name: z.string(),
  maxRelativeDifference: z
    .number()
    .describe(
      'Largest ‖g32 − g64‖ / ‖g64‖ of a block, on the same images. Each label is replaced by the next class, since a confident network would leave only rounding noise',
    ),
});

/** Summary of the gradient check before a training. `/v1/gradient-checks` gives the full report. */
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

export const jobStatusSchema = z.enum(JOB_STATUSES);
/** Resources besides a slot that a job can wait for. */
export const JOB_WAITS = ['memory', 'storage'] as const;
export type JobWait = (typeof JOB_WAITS)[number];

export const STOP_REASONS = [...LOOP_STOP_REASONS, 'cancelled', 'failed'] as const;

export type StopReason = (typeof STOP_REASONS)[number];

const stoppedAtSchema = z.object({ step: z.int(), reason: z.enum(STOP_REASONS) });
const digestSchema = z
  .string()
  .nullable()
  .describe('`sha256:` and the digest of the final packed float32 parameters, little-endian');

/** Everything that the digest depends on, and the digest. */
export const receiptSchema = z
  .object({
    dataset: executionEnvironmentSchema.shape.dataset,
    request: resolvedTrainingRequestSchema,
    seed: seedSchema,
    kernel: executionEnvironmentSchema.shape.kernel,
    fused: executionEnvironmentSchema.shape.fused,
    stoppedAt: stoppedAtSchema,
    mixed: z
      .boolean()
      .describe(
        'Whether the job continued on another kernel, or on a processor that rounds differently, so no single environment gives the same digest',
      ),
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
    waiting: z
      .enum(JOB_WAITS)
      .nullable()
      .describe(
        '`memory` while the queued job is next and is waiting for free memory; `storage` while the job cannot start or go on ' +
          'because the disk is full, the database or the object store is unreachable, or no more files can be opened; otherwise null',
      ),
    pauseReason: z
      .string()
      .nullable()
      .describe('Reason for which the service paused the job; null if a client did, and for other statuses'),
    preemptedBy: z
      .string()
      .nullable()
      .describe('Id of the job of higher priority for which the queued job was stopped; otherwise null'),
    progress: progressSchema,
    latest: epochRecordSchema.nullable().describe('Record of the last finished epoch'),
    warnings: z
      .array(z.object({ code: z.string(), message: z.string() }))
      .describe(
        'Warnings about the figures of the last finished epoch, with advice. The events also have those of earlier epochs',
      ),
    best: epochRecordSchema
      .nullable()
      .describe('Record of the epoch with the lowest validation loss, or training loss without validation'),
    model: versionReferenceSchema
      .nullable()
      .describe(
        'Version that the job published; null for verifications, and for trainings that did not learn',
      ),
    publication: publicationSchema
      .nullable()
      .describe(
        'For a succeeded job, what was published, and whether it became the champion; null for verifications',
      ),
    notify: deliverySchema.nullable().describe('State of the webhook; null without one'),
    traceparent: z
      .string()
      .nullable()
      .describe('`traceparent` of the request that created the job (W3C Trace Context); null without one'),
    gradientCheckReport: gradientCheckSummarySchema
      .nullable()
      .describe('Result of the gradient check before the start; null before it, or without one'),
    attempts: z
      .int()
      .describe(
        'Number of attempts since the last checkpoint, at most three. A stop of the service, or in favour of a job of higher priority, does not count',
      ),
    stoppedAt: stoppedAtSchema.nullable(),
    digest: digestSchema,
    receipt: receiptSchema
      .nullable()
      .describe(
        'After the job has ended, everything its digest depends on; `POST …/verify` repeats the training from it. null if the job never ran',
      ),
    search: z
      .object({
        id: z.string(),
        trial: z.int().nullable().describe('Number of the trial; null for the final training'),
      })
      .nullable()
      .describe('The search that the job belongs to. Trials publish nothing'),
    verification: verificationSchema
      .nullable()
      .describe('For a job created by `POST …/verify`, whether it ended with the same parameters'),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'TrainingJob' });
export type TrainingJob = z.output<typeof trainingJobSchema>;

/** Whether the job trains a setting of a search; its final training does not. */
export function isTrial({ search }: Pick<TrainingJob, 'search'>): boolean {
  return search !== null && search.trial !== null;
}

export const EVENT_TYPES = [
  'status',
  'progress',
  'epoch',
  'checkpoint',
  'warning',
  'error',
  'priority',
] as const;

export const jobEventSchema = z
  .object({
    id: z.int().min(1).describe('Number of the event within the job, from 1, without gaps'),
    type: z.enum(EVENT_TYPES),
    at: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'JobEvent' });
export type JobEvent = z.infer<typeof jobEventSchema>;
export type EventType = JobEvent['type'];
