/** Messages of webhooks: the body of the POST that reports the end of a training job. */
import { z } from 'zod';
import { resolvedTrainingRequestSchema } from './request.ts';
import { trainingJobSchema } from './training.ts';

/** Statuses that are reported; `paused` only if the service itself paused the job. */
export const REPORTED_STATUSES = ['succeeded', 'failed', 'cancelled', 'paused'] as const;
export type ReportedStatus = (typeof REPORTED_STATUSES)[number];

const { dataset, modelName } = resolvedTrainingRequestSchema.shape;
const { id, metadata, createdAt, startedAt, finishedAt, stoppedAt, pauseReason, model, publication } =
  trainingJobSchema.shape;
const { digest, error } = trainingJobSchema.shape;

export const webhookMessageSchema = z
  .object({
    type: z.enum(REPORTED_STATUSES.map((status) => `training-job.${status}` as const)),
    timestamp: z.string().describe('When the status of the job changed'),
    data: z
      .object({
        id,
        status: z.enum(REPORTED_STATUSES),
        dataset: dataset.nullable(),
        modelName: modelName.nullable(),
        metadata,
        createdAt,
        startedAt,
        finishedAt,
        stoppedAt,
        pauseReason,
        model,
        publication,
        digest,
        error,
        traceparent: z.string().optional().describe('`traceparent` of the request that created the job'),
      })
      .describe(
        'The job at that moment; `dataset` and `modelName` are null if its row in the database is damaged',
      ),
  })
  .meta({ id: 'WebhookMessage' });
export type WebhookMessage = z.output<typeof webhookMessageSchema>;
