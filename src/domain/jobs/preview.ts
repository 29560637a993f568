/** Preview of a training job: what it would be, and what it would cost. */
import { z } from 'zod';
import { LAYER_SIZES_TEXT, layersText } from '../models/representation.ts';
import { resolvedTrainingRequestSchema, TEST_SETS } from './request.ts';

export const TIME_BASES = ['measured-here', 'calibrated', 'model'] as const;
export const PREVIEW_WARNINGS = [
  'more-threads-than-cores',
  'waits-for-memory',
  'queue-full',
  'budget-ends-training',
  'few-steps',
] as const;

const seconds = z.number().min(0);

export const trainingPreviewSchema = z
  .object({
    request: resolvedTrainingRequestSchema.describe('The request with every default filled in'),
    network: z.object({
      layers: layersText,
      layerSizes: z.array(z.int()).describe(LAYER_SIZES_TEXT),
      parameters: z.int(),
      multiplyAdds: z.int().describe('Of the forward pass of one image'),
    }),
    data: z.object({
      train: z.int().describe('Images trained on'),
      validation: z.int().describe('Images held out'),
      test: z.int(),
      testSet: z.enum(TEST_SETS),
    }),
    steps: z.object({ perEpoch: z.int(), total: z.int() }),
    memory: z.object({
      bytes: z.int().describe('Reserved while the job runs; at least what it takes'),
      availableBytes: z.int().describe('What all running jobs can reserve together'),
      checkpointBytes: z.int().describe('Size of a checkpoint file, about'),
    }),
    time: z.object({
      seconds: seconds.describe(
        'Estimated duration from start to end, of all epochs: early stopping and a target accuracy are not foreseen, `budget.seconds` is',
      ),
      low: seconds.describe('Tenth percentile, less 0.25 s'),
      high: seconds.describe('Ninetieth percentile, plus 0.25 s'),
      trainingSeconds: seconds,
      evaluationSeconds: seconds,
      gradientCheckSeconds: seconds,
      startSeconds: seconds.describe(
        'Time before the first step, while teachers predict every training image',
      ),
      imagesPerSecond: z.number().describe('Of the steps alone'),
      basis: z.object({
        kind: z
          .enum(TIME_BASES)
          .describe(
            '`measured-here`: a few steps were timed, and corrected by epochs of earlier jobs; `calibrated`: a few steps were timed; `model`: neither, because the service is busy',
          ),
        jobs: z.int().describe('Earlier jobs with the same data set and number of threads'),
        epochs: z.int().describe('Their last epochs that were compared, at most 20'),
        ratio: z
          .number()
          .describe('Median of actual to predicted duration of these epochs. The times are multiplied by it'),
      }),
    }),
    queue: z.object({
      ahead: z.int().describe('Queued jobs that would start earlier'),
      startsInSeconds: seconds
        .nullable()
        .describe('Estimated time until a slot and memory are free; null if no replica runs jobs'),
    }),
    suggested: z
      .object({ epochs: z.int(), batchSize: z.int() })
      .nullable()
      .describe(
        'For the warning `few-steps`, values of `training.epochs` and `training.batchSize` to use instead; otherwise null',
      ),
    warnings: z.array(z.object({ code: z.enum(PREVIEW_WARNINGS), message: z.string() })),
  })
  .meta({ id: 'TrainingPreview' });
export type TrainingPreview = z.output<typeof trainingPreviewSchema>;
export type PreviewWarning = TrainingPreview['warnings'][number];
