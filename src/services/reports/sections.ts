/** Sections of a lab report that take long or may be impossible; each can be left out alone. */

import { describeEvaluation } from '../../domain/checks/evaluation.ts';
import { type GradientCheck, gradientCheckRequestSchema } from '../../domain/checks/gradient.ts';
import { sgdPathQuerySchema } from '../../domain/checks/sgd-path.ts';
import { type DatasetSummary, imageUrl } from '../../domain/datasets/representation.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import type { LabReportQuery, ReportSection } from '../../domain/reports/lab-report.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import { writeCommand } from '../../formats/documents/lab-report/command.ts';
import type { Store } from '../../store/persistent-state.ts';
import { createCoalescingCache } from '../inspection/coalesce.ts';
import type { EvaluationService } from '../inspection/evaluations.ts';
import type { GradientCheckService } from '../inspection/gradient-checks.ts';
import type { SgdPathService } from '../inspection/sgd-paths.ts';

/** Number of cached gradient checks, of a kilobyte each. */
const MAX_CACHED = 256;
/** A sample for networks of which not every coordinate can be checked. */
const CHECKED_SAMPLE = 200;

export interface ReportContext {
  /** Prefix of the API's paths. */
  readonly basePath: string;
  /** Name of an API key, or `anonymous`. */
  readonly caller: string;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

/** Notes that a section is left out. @param curl command that produces it, if any does */
export type Omit = (section: ReportSection, reason: string, curl?: string | null) => null;

export interface SectionContext extends ReportContext {
  readonly omit: Omit;
}

/** Each returns null for a section that is left out. @throws AtelierError for errors that do not concern the section alone */
export function createReportSections({
  looks,
  gradients,
  evaluations,
  paths,
}: {
  looks: Pick<Store['looks'], 'has'>;
  gradients: GradientCheckService;
  evaluations: EvaluationService;
  paths: SgdPathService;
}) {
  const coalesceCheck = createCoalescingCache<GradientCheck>(MAX_CACHED);

  return {
    async check(
      job: TrainingJob,
      scheme: LabReportQuery['check'],
      { basePath, signal, omit }: SectionContext,
    ) {
      const { dataset, network, seed } = job;
      const warmStart = (job.receipt?.request ?? job).warmStart;
      const subject = warmStart === null ? { network, seed } : { model: warmStart, seed };
      const body = { dataset, ...subject, ...(scheme !== 'none' && { scheme }) };
      const command = (changes: object = {}) =>
        writeCommand(basePath, '/v1/gradient-checks', { body: { ...body, ...changes } });
      if (scheme === 'none') return omit('gradient-check', 'The request has check=none.', command());
      const compute = async (abortSignal: AbortSignal) => {
        const request = gradientCheckRequestSchema.parse(body);
        return (await gradients.check(request, 'report', abortSignal)).report;
      };
      return attempt(
        () => coalesceCheck(JSON.stringify([job.id, scheme]), signal, compute),
        (error) => {
          const isCostly = hasCode(error, 'check-too-costly');
          const curl = isCostly ? command({ coordinates: { sample: CHECKED_SAMPLE } }) : null;
          return omit('gradient-check', error.message, curl);
        },
      );
    },

    async evaluate(
      job: TrainingJob,
      version: ModelVersion,
      dataset: DatasetSummary,
      { basePath, signal, caller, omit }: SectionContext,
    ) {
      const curl = writeCommand(
        basePath,
        `/v1/models/${version.name}/versions/${version.version}/evaluation`,
      );
      if (job.testSet === 'never' && !(await looks.has(dataset.digest, version))) {
        const reason =
          'The training never measures the test split, and no test result of the version was revealed yet.';
        return omit('evaluation', reason, curl);
      }
      return attempt(
        async () => {
          const evaluated = await evaluations.evaluate(version, { split: 'test' }, signal, caller);
          const shown = {
            dataset: dataset.id,
            split: 'test',
            classNames: evaluated.classNames,
            imageUrl: (index: number) => imageUrl(basePath, dataset.id, 'test', index),
          } as const;
          return describeEvaluation(evaluated.model, shown, evaluated.report);
        },
        (error) => omit('evaluation', error.message),
      );
    },

    async computePath(
      job: TrainingJob,
      { path }: LabReportQuery,
      { basePath, signal, omit }: SectionContext,
    ) {
      const command = (query = '') =>
        writeCommand(basePath, `/v1/training-jobs/${job.id}/plots/path${query}`, { output: 'path.svg' });
      if (path === 'false') {
        return omit('path', 'The request has path=false.', job.digest === null ? null : command());
      }
      return attempt(
        () => paths.compute(job, sgdPathQuerySchema.parse({}), signal),
        (error) => {
          // Its details name options that fit; without them, nothing fits.
          const fits = hasCode(error, 'path-too-costly') && error.details.length > 0;
          return omit('path', error.message, fits ? command('?snapshots=20&grid=10&examples=500') : null);
        },
      );
    },
  };
}

/** @param omit called with errors that concern this section only */
export async function attempt<T>(
  compute: () => Promise<T>,
  omit: (error: AtelierError) => null,
): Promise<T | null> {
  try {
    return await compute();
  } catch (error) {
    if (error instanceof AtelierError && hasCode(error, ...OMITTED)) return omit(error);
    throw error;
  }
}

const OMITTED = [
  'check-too-costly',
  'evaluation-too-costly',
  'path-too-costly',
  'impossible-request',
  'illegal-transition',
  'unknown-dataset',
  'unknown-model',
  'model-not-found',
] as const;
