/** Searches: representation, statuses and their transitions, leaderboard and events. */
import { z } from 'zod';
import { AtelierError } from '../../errors.ts';
import { JOB_STATUSES } from '../jobs/status.ts';
import { listAlternatives } from '../messages/text-lists.ts';
import { versionReferenceSchema } from '../models/reference.ts';
import { publicationSchema } from '../training/publication.ts';
import { resolvedSearchRequestSchema } from './request.ts';

const SEARCH_STATUSES = [
  'running',
  'pausing',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export const searchStatusSchema = z.enum(SEARCH_STATUSES);
export type SearchStatus = z.infer<typeof searchStatusSchema>;

/** Statuses in which a search has something to decide. */
export const UNSETTLED_SEARCHES = [
  'running',
  'pausing',
  'cancelling',
] as const satisfies readonly SearchStatus[];
export const UNFINISHED_SEARCHES = [
  ...UNSETTLED_SEARCHES,
  'paused',
] as const satisfies readonly SearchStatus[];

const TRIAL_STATUSES = ['waiting', ...JOB_STATUSES, 'stopped', 'skipped'] as const;

const valuesSchema = z
  .record(z.string(), z.unknown())
  .describe('The values that vary, by the path of their variation');

export const searchProgressSchema = z.object({
  trials: z.int(),
  waiting: z.int().describe('Trials that have not started, and still may'),
  active: z.int().describe('Trials with a job that is queued or runs'),
  paused: z.int().describe('Trials that are waiting at a rung, or are paused with the search'),
  succeeded: z.int(),
  stopped: z.int().describe('Trials that were stopped at a rung, by `finish`, or by the time budget'),
  skipped: z
    .int()
    .describe('Trials that never started, because the search finished early, failed or was cancelled'),
  failed: z.int().describe('Trials with a training that failed'),
  cancelled: z.int().describe('Trials with a training that a client cancelled, alone or with the search'),
  epochs: z.int().describe('Epochs that trials have trained, counted when one of them ends or pauses'),
  plannedEpochs: z.int().describe('Epochs of all trials at most'),
});
export type SearchProgress = z.infer<typeof searchProgressSchema>;

export const searchBestSchema = z.object({
  trial: z.int(),
  values: valuesSchema,
  value: z.number().describe('The objective'),
  validationLoss: z.number(),
  validationAccuracy: z.number(),
  epoch: z.int().nullable().describe('Epoch of the value; null if it differs between repeats'),
});
export type SearchBest = z.infer<typeof searchBestSchema>;

const FINISH_REASONS = ['requested', 'time-budget'] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export const searchSchema = z
  .object({
    id: z.string(),
    status: searchStatusSchema,
    ...resolvedSearchRequestSchema.shape,
    createdAt: z.string(),
    finishedAt: z.string().nullable(),
    finishing: z
      .boolean()
      .describe('Whether the search finishes, or has finished, with the trials that it had'),
    finishReason: z
      .enum(FINISH_REASONS)
      .nullable()
      .describe(
        '`requested` by `POST …/finish`, or `time-budget` if `budget.seconds` was used up; null if it does not finish early. ' +
          'The `status` event with the same reason lists the trials that had ended',
      ),
    pauseReason: z.string().nullable().describe('Reason for which the service paused the search'),
    rungs: z
      .array(z.int())
      .describe(
        'Epochs after which trials are compared, ascending; the last one is the end of a complete trial',
      ),
    validationImages: z.int().describe('Number of images that every trial holds out'),
    progress: searchProgressSchema,
    best: searchBestSchema
      .nullable()
      .describe(
        'The best trial of those that got furthest, so far or as the result; null before the first result',
      ),
    finalJob: z.string().nullable().describe('Id of the final training job; null before it'),
    model: versionReferenceSchema
      .nullable()
      .describe(
        'Version that the final training published, as in its job, even if the version has been deleted since; null if it did not learn',
      ),
    publication: publicationSchema
      .nullable()
      .describe(
        'Publication of the final training, as in its job, with the reason if it published nothing; null before its end, and without one',
      ),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'Search' });
export type Search = z.output<typeof searchSchema>;

export const trialSchema = z
  .object({
    rank: z.int().nullable().describe('1 for the best; null without a result, and for failed trials'),
    trial: z.int().min(1),
    values: valuesSchema,
    status: z
      .enum(TRIAL_STATUSES)
      .describe(
        '`waiting` before its first job, `skipped` if the search finished early, failed or was cancelled before it; `stopped` if it did ' +
          'not continue at a rung, or was stopped by `finish` or the time budget; else the status of its job',
      ),
    rung: z.int().describe('Number of rungs reached'),
    value: z
      .number()
      .nullable()
      .describe(
        'The objective at the last rung reached; at the end, of the epoch whose parameters it would publish',
      ),
    standardError: z
      .number()
      .nullable()
      .describe(
        'Of the mean over the repeats; with one, of an accuracy, √(p(1 − p) / n), and null for a loss',
      ),
    withinOneError: z
      .boolean()
      .describe(
        'Whether the trial is within one standard error of the best, so the difference may be chance',
      ),
    validationLoss: z.number().nullable(),
    validationAccuracy: z.number().nullable(),
    epoch: z
      .int()
      .nullable()
      .describe('Epoch of the value; null without one, and if it differs between repeats'),
    epochs: z.int().describe('Epochs trained, of all repeats together'),
    jobs: z.array(z.string()).describe('Ids of its training jobs, in the order of their seeds'),
    error: z.string().nullable().describe('Message of the error that failed the trial'),
  })
  .meta({ id: 'Trial' });
export type Trial = z.output<typeof trialSchema>;

export const searchPreviewSchema = z
  .object({
    trials: z.array(z.object({ trial: z.int(), values: valuesSchema })),
    repeats: z.int(),
    rungs: searchSchema.shape.rungs,
    plannedEpochs: z.int().describe('Epochs of all trials at most, without the final training'),
    validationImages: searchSchema.shape.validationImages,
    time: z.object({
      seconds: z
        .number()
        .describe(
          'Estimate for all trials, if every slot works on them, without the final training and the budget of seconds',
        ),
      low: z.number(),
      high: z.number(),
      finalSeconds: z
        .number()
        .describe('Estimate for the final training with all epochs, for an average setting; 0 without one'),
      timedSettings: z
        .int()
        .describe(
          'Settings whose steps were timed; the time of the others follows from the size of their networks',
        ),
    }),
  })
  .meta({ id: 'SearchPreview' });
/** The trials of a search that has not been started. */
export type SearchPreview = z.output<typeof searchPreviewSchema>;

const SEARCH_EVENT_TYPES = ['status', 'trial', 'rung', 'final', 'warning', 'error'] as const;
export const searchEventSchema = z
  .object({
    id: z.int().min(1).describe('Number of the event within the search, from 1, without gaps'),
    type: z.enum(SEARCH_EVENT_TYPES),
    at: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'SearchEvent' });
export type SearchEvent = z.infer<typeof searchEventSchema>;

interface Change {
  readonly participle: string;
  /** Statuses in which the change is possible. */
  readonly from: readonly SearchStatus[];
}

/** Changes that a client requests. */
const CHANGES = {
  pause: { participle: 'paused', from: ['running'] },
  resume: { participle: 'resumed', from: ['paused'] },
  cancel: { participle: 'cancelled', from: ['running', 'pausing', 'paused'] },
  finish: { participle: 'finished', from: ['running'] },
} as const satisfies Readonly<Record<string, Change>>;
export type SearchChange = keyof typeof CHANGES;

/** @throws AtelierError `illegal-transition` */
export function assertChangeable(id: string, status: SearchStatus, change: SearchChange): void {
  const { participle, from }: Change = CHANGES[change];
  if (from.includes(status)) return;
  throw new AtelierError(
    'illegal-transition',
    `Search ${id} is ${status}. Only ${listAlternatives(from)} searches can be ${participle}.`,
  );
}
