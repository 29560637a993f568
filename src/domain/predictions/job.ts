/** Prediction jobs: predictions for a whole split or a large array, computed in the background. */
import { z } from 'zod';
import { SPLITS } from '../datasets/representation.ts';
import { coverageSchema, MAX_COVERAGE, MIN_COVERAGE } from '../models/calibration.ts';
import { publishedReferenceSchema, versionReferenceSchema } from '../models/reference.ts';
import { jsonText } from '../primitives.ts';

export const PREDICTION_JOB_ID = /^prd_[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
export const PREDICTION_STATUSES = [
  'queued',
  'running',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export const UNFINISHED_PREDICTIONS = ['queued', 'running', 'paused'] as const;
export const PIXEL_SCALES = ['0-1', '0-255'] as const;

export const predictionStatusSchema = z.enum(PREDICTION_STATUSES);
export type PredictionStatus = z.infer<typeof predictionStatusSchema>;

/** Predictions for the images of a data set. */
export const predictionRequestSchema = z.strictObject({
  model: publishedReferenceSchema.describe(
    '`"name"` (the champion, else the newest version), `"name@3"`, `"name@alias"`, or `{ name, version }`; resolved to a version number now',
  ),
  dataset: z.string().max(64).describe('Id of the data set'),
  split: z.enum(SPLITS).default('test'),
  coverage: z
    .number()
    .min(MIN_COVERAGE)
    .max(MAX_COVERAGE)
    .optional()
    .describe('Adds the columns `classes`, `unsure` and `unsureBecause` to the CSV, as for predictions'),
});
export type PredictionRequest = z.output<typeof predictionRequestSchema>;

/** The fields of a form whose `file` holds the images; all arrive as text. */
export const predictionFieldsSchema = z.strictObject({
  model: z.preprocess(
    (text) => (typeof text === 'string' && text.startsWith('{') ? text : JSON.stringify(text)),
    jsonText(publishedReferenceSchema),
  ),
  pixels: z.enum(PIXEL_SCALES).optional(),
  coverage: coverageSchema.optional(),
});
export type PredictionFields = z.output<typeof predictionFieldsSchema>;

export const predictionJobSchema = z
  .object({
    id: z.string().describe('`prd_` and a ULID, so ids ascend with time'),
    status: predictionStatusSchema,
    waiting: z
      .enum(['memory'])
      .nullable()
      .describe(
        'What a running job is waiting for before its first image: memory in use by other work. Shown by the process that runs it',
      ),
    pauseReason: z
      .string()
      .nullable()
      .describe('Reason for which the service paused the job; null if a client did, and for other statuses'),
    model: versionReferenceSchema.describe('The version to which `model` of the request was resolved'),
    dataset: z.string().nullable().describe('Data set of the images; null for an uploaded file'),
    split: z.enum(SPLITS).nullable(),
    pixels: z
      .enum(PIXEL_SCALES)
      .nullable()
      .describe('Range of the numbers of an uploaded file, as sent or inferred; null for a data set'),
    images: z.int().describe('Number of images'),
    progress: z.object({
      images: z.int().describe('Images predicted by the current run'),
      fraction: z.number(),
    }),
    classes: z
      .array(
        z.object({
          label: z.int(),
          className: z.string(),
          images: z.int().describe('Images for which this class is the most probable one'),
        }),
      )
      .nullable()
      .describe('Null until the job has succeeded'),
    correct: z
      .int()
      .nullable()
      .describe(
        'Images of a data set whose predicted class is the true one; null until the job has succeeded',
      ),
    accuracy: z.number().nullable().describe('`correct` as a fraction of the images'),
    coverage: z.number().nullable().describe('As requested; null without sets of classes'),
    unsure: z
      .int()
      .nullable()
      .describe('Number of unsure predictions; null until the job has succeeded, and without `coverage`'),
    attempts: z.int().describe('Number of runs: more than one after a pause, or a restart of the service'),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable().describe('Start of the first run'),
    finishedAt: z.iso.datetime().nullable().describe('Null until the job has ended'),
    error: z.object({ code: z.string(), message: z.string() }).nullable().describe('Why the job failed'),
  })
  .meta({ id: 'PredictionJob' });
export type PredictionJob = z.infer<typeof predictionJobSchema>;

/** A job to be created. */
export interface NewPredictionJob {
  readonly model: PredictionJob['model'];
  readonly classNames: readonly string[];
  readonly source:
    | { readonly dataset: string; readonly split: (typeof SPLITS)[number] }
    | { readonly pixels: (typeof PIXEL_SCALES)[number] };
  readonly images: number;
  /** null without sets of classes */
  readonly coverage: number | null;
}

/** The outcome of a job that has succeeded. */
export interface PredictionCounts {
  /** Number of images by predicted class. */
  readonly classes: readonly number[];
  /** null if the true labels are unknown */
  readonly correct: number | null;
  /** null without a coverage */
  readonly unsure: number | null;
}
