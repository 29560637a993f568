/** Lab reports: everything about an ended training job in one document. */
import { z } from 'zod';
import { stageTexts } from '../../numerics/network/architecture.ts';
import { coverageReportSchema } from '../checks/coverage.ts';
import { type Evaluation, evaluationSchema } from '../checks/evaluation.ts';
import { gradientCheckSchema, SCHEMES } from '../checks/gradient.ts';
import { areasSchema } from '../checks/ranking.ts';
import { sgdPathSchema } from '../checks/sgd-path.ts';
import { datasetSchema } from '../datasets/representation.ts';
import { epochRecordSchema } from '../jobs/epoch-record.ts';
import { type TrainingJob, trainingJobSchema } from '../jobs/training.ts';
import { calibrationSchema } from '../models/calibration.ts';
import { testSetSchema } from '../models/test-set.ts';
import { wholeNumber } from '../primitives.ts';
import { searchSchema, trialSchema } from '../searches/representation.ts';

export const REPORT_PICTURES = ['links', 'data'] as const;

/** Each listed epoch takes 500 bytes of HTML. With these, a report is less than 300 KB, and prints to ten pages. */
const MAX_LISTED_EPOCHS = 100;

export const labReportQuerySchema = z.strictObject({
  last: wholeNumber(1, MAX_LISTED_EPOCHS)
    .prefault(20)
    .describe('Number of epochs that are listed: the last ones. `GET …/metrics` lists all'),
  check: z
    .enum([...SCHEMES, 'none'])
    .default('central')
    .describe('Scheme of the gradient check; `none` leaves it out'),
  path: z
    .enum(['true', 'false'])
    .default('true')
    .describe(
      'Whether the path of the training is computed. This takes about as long as the training, and a few seconds more',
    ),
  pictures: z
    .enum(REPORT_PICTURES)
    .default('links')
    .describe('Pictures of Markdown: `links` to the service, or embedded as `data`. HTML always embeds them'),
});
export type LabReportQuery = z.output<typeof labReportQuerySchema>;

/** Sections that need something that may be missing, deleted or too costly. */
export const REPORT_SECTIONS = [
  'data',
  'gradient-check',
  'search',
  'training',
  'weights',
  'evaluation',
  'calibration',
  'path',
  'test-set',
  'receipt',
] as const;
export type ReportSection = (typeof REPORT_SECTIONS)[number];

const omissionSchema = z.object({
  section: z.enum(REPORT_SECTIONS),
  reason: z.string().describe('Reason for which the section is left out, as one sentence or more'),
  curl: z
    .string()
    .nullable()
    .describe('Shell command that produces the section; null if it cannot be produced'),
});
export type Omission = z.infer<typeof omissionSchema>;

export const labReportSchema = z
  .object({
    summary: z.string().describe('The result in one sentence, with its interval'),
    job: trainingJobSchema.describe('As `GET /v1/training-jobs/{id}`'),
    dataset: datasetSchema.nullable().describe('As `GET /v1/datasets/{id}`'),
    examples: z
      .array(z.object({ label: z.int(), className: z.string(), index: z.int(), image: z.string() }))
      .describe('The first training image of each class: its index and its URL'),
    gradientCheck: gradientCheckSchema
      .nullable()
      .describe(
        'As `POST /v1/gradient-checks` for the network and seed of the job, or for the model that it started from',
      ),
    search: searchSchema
      .nullable()
      .describe('As `GET /v1/searches/{id}` of the search that the job belongs to'),
    trials: z
      .array(trialSchema)
      .describe('As `GET /v1/searches/{id}/trials`, the best 20 trials only; empty without a search'),
    epochs: z.array(epochRecordSchema).describe('As `GET …/metrics`, the last epochs only'),
    warnings: z
      .array(z.string())
      .describe('Messages of the warnings in the first 5,000 events; empty if the events were deleted'),
    evaluation: evaluationSchema.nullable().describe('As `GET …/evaluation` of the published version'),
    calibration: calibrationSchema
      .nullable()
      .describe('As `calibration` of the published version; null before it is calibrated'),
    areas: areasSchema
      .nullable()
      .describe(
        'Areas under the curves of `GET …/evaluation/ranking` of the test split; null without `evaluation`',
      ),
    coverage: coverageReportSchema
      .nullable()
      .describe(
        'As `GET …/evaluation/coverage` of the test split; null without `evaluation`, and before the version is calibrated',
      ),
    path: sgdPathSchema.nullable().describe('As `GET …/path` without options'),
    testSet: testSetSchema.nullable().describe('As `testSet` of the published version'),
    reproduce: z
      .object({
        repeat: z.string().describe('Starts the same training'),
        verify: z
          .string()
          .nullable()
          .describe(
            'Repeats the training from its receipt and compares the parameters; null unless it succeeded',
          ),
      })
      .describe('Shell commands. The variable `ATELIER` holds the address of the service'),
    omitted: z.array(omissionSchema).describe('Sections that are left out'),
  })
  .meta({ id: 'LabReport' });
export type LabReport = z.infer<typeof labReportSchema>;

/**
 * The result in one sentence.
 * @param isStopped whether its search stopped the trial, at a rung or as it finished
 */
export function summarizeTraining(
  job: TrainingJob,
  evaluation: Evaluation | null,
  isStopped: boolean,
): string {
  const { status, network, dataset, progress, best } = job;
  const { convolutions, hidden, activation } = network;
  const parts = [
    convolutions.length > 0 && `convolutions ${stageTexts(convolutions).join('-')}`,
    hidden.length > 0 && `${hidden.join(' and ')} hidden units`,
  ].filter((part) => part !== false);
  const layers =
    parts.length === 0
      ? 'A network without hidden layers'
      : `A network with ${parts.join(', then ')} (${activation})`;
  const subject = `${layers}, trained on ${dataset}`;
  if (status !== 'succeeded') {
    const end = status === 'failed' ? 'failed' : isStopped ? 'was stopped by its search' : 'was cancelled';
    const reason = job.error === null ? '' : `: ${job.error.message.replace(/\.$/, '')}`;
    return `${subject}, ${end} after ${progress.step} of ${progress.steps} steps${reason}.`;
  }
  if (evaluation !== null) {
    const { accuracy, accuracyInterval, examples } = evaluation;
    const interval = `${percent(accuracyInterval.low)} to ${percent(accuracyInterval.high)}`;
    return (
      `${subject}, classifies ${percent(accuracy)} of ${examples.toLocaleString('en')} test images correctly ` +
      `(95 % interval ${interval}, Wilson).`
    );
  }
  const validated = best?.validationAccuracy ?? null;
  if (validated === null) return `${subject}, was not evaluated on the test images for this report.`;
  return (
    `${subject}, classifies ${percent(validated)} of its validation images correctly; it was not evaluated on the test images for ` +
    'this report.'
  );
}

const percent = (fraction: number) => `${(100 * fraction).toFixed(2)} %`;
