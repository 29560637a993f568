/** Collects a lab report: what the other services give about one ended training job. */
import type { Catalog } from '../datasets/catalog.ts';
import { type Dataset, type DatasetSummary, imageUrl } from '../domain/dataset.ts';
import type { EpochRecord } from '../domain/epoch-record.ts';
import { describeEvaluation, type Evaluation } from '../domain/evaluation.ts';
import { type GradientCheck, gradientCheckRequestSchema } from '../domain/gradient-check.ts';
import {
  type LabReport,
  type LabReportQuery,
  type Omission,
  type ReportSection,
  summarizeTraining,
} from '../domain/lab-report.ts';
import type { ModelVersion } from '../domain/model.ts';
import { type SgdPath, sgdPathQuerySchema } from '../domain/sgd-path.ts';
import { isEnded, resolvedTrainingRequestSchema, type TrainingJob } from '../domain/training-job.ts';
import { AtelierError, hasCode } from '../errors.ts';
import { writeCommand } from '../formats/lab-report/command.ts';
import type { Store } from '../store/store.ts';
import { createCoalescingCache } from './coalesce.ts';
import type { EvaluationService } from './evaluations.ts';
import type { GradientCheckService } from './gradient-checks.ts';
import type { ModelService } from './models.ts';
import type { SgdPathService } from './sgd-paths.ts';
import type { TestSetService } from './test-sets.ts';

/** Number of cached gradient checks, of a kilobyte each. */
const MAX_CACHED = 256;
/** Events that are searched for warnings. */
const MAX_EVENTS = 5000;
/** Units of the first layer whose weights are drawn; more would need hundreds of kilobytes. */
const MAX_TILES = 100;
/** A sample for networks of which not every coordinate can be checked. */
const CHECKED_SAMPLE = 200;

/** The report, and what its pictures show besides. */
export interface CollectedReport {
  readonly report: LabReport;
  readonly records: readonly EpochRecord[];
  /** The version whose weights are drawn; null if they are left out. */
  readonly drawn: ModelVersion | null;
}

export interface ReportContext {
  /** Prefix of the API's paths. */
  readonly basePath: string;
  /** Name of an API key, or `anonymous`. */
  readonly caller: string;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

export interface LabReportService {
  /**
   * The evaluation counts as a look if it is the first test result of the version. Of a job that never measures the
   * test split it is shown only if a test result of the version was revealed before.
   * @throws AtelierError `impossible-request` if the job has not ended; `dataset-damaged`, `overloaded`, `storage-full`
   */
  collect(job: TrainingJob, query: LabReportQuery, context: ReportContext): Promise<CollectedReport>;
}

type Omit = (section: ReportSection, reason: string, curl?: string | null) => null;

export function createLabReportService(options: {
  store: Pick<Store, 'looks' | 'events' | 'epochRecords'>;
  catalog: Catalog;
  models: Pick<ModelService, 'version'>;
  gradients: GradientCheckService;
  evaluations: EvaluationService;
  paths: SgdPathService;
  testSets: TestSetService;
}): LabReportService {
  const { store, catalog, models, gradients, evaluations, paths, testSets } = options;
  const coalesceCheck = createCoalescingCache<GradientCheck>(MAX_CACHED);

  /** Returns null if the data set was deleted or has changed. */
  async function findDataset(job: TrainingJob, omit: Omit): Promise<DatasetSummary | null> {
    const found = await catalog.find(job.dataset);
    const isSame = found && (job.receipt === null || job.receipt.dataset.digest === found.digest);
    return isSame ? found : omit('data', `Data set ${job.dataset} was deleted, or has changed.`);
  }

  /** Returns the published version, or the reason why there is none. */
  async function findVersion(job: TrainingJob): Promise<ModelVersion | string> {
    if (job.model === null) return describeUnpublished(job);
    const { name, version } = job.model;
    const found = await models.version(name, version).catch((error) => {
      if (hasCode(error, 'model-not-found')) return null;
      throw error;
    });
    // A deleted name can be reused for another model.
    return found?.lineage.jobId === job.id ? found : `Version ${version} of model ${name} was deleted.`;
  }

  async function check(
    job: TrainingJob,
    scheme: LabReportQuery['check'],
    omit: Omit,
    context: ReportContext,
  ) {
    const { basePath, signal } = context;
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
  }

  async function evaluate(
    job: TrainingJob,
    version: ModelVersion,
    dataset: DatasetSummary,
    omit: Omit,
    { basePath, signal, caller }: ReportContext,
  ): Promise<Evaluation | null> {
    const curl = writeCommand(basePath, `/v1/models/${version.name}/versions/${version.version}/evaluation`);
    if (job.testSet === 'never' && !(await store.looks.has(dataset.digest, version))) {
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
  }

  async function computePath(
    job: TrainingJob,
    { path }: LabReportQuery,
    omit: Omit,
    { basePath, signal }: ReportContext,
  ): Promise<SgdPath | null> {
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
  }

  async function listWarnings({ id }: TrainingJob): Promise<string[]> {
    const { data } = await store.events.list(id, { limit: MAX_EVENTS });
    return data
      .filter(({ type }) => type === 'warning')
      .flatMap(({ data: { message } }) => (typeof message === 'string' ? [message] : []));
  }

  return {
    async collect(job, query, { signal, ...context }) {
      assertEnded(job);
      const omitted: Omission[] = [];
      const omit: Omit = (section, reason, curl = null) => {
        omitted.push({ section, reason, curl });
        return null;
      };
      const [dataset, found, records] = await Promise.all([
        findDataset(job, omit),
        findVersion(job),
        store.epochRecords.list(job.id),
      ]);
      const version = typeof found === 'string' ? null : found;
      if (records.length === 0) omit('training', 'The job completed no epoch.');
      if (typeof found === 'string') for (const each of OF_VERSION) omit(each, found);
      const unneeded = new AbortController();
      const shared = { ...context, signal: AbortSignal.any([signal, unneeded.signal]) };
      try {
        const [gradientCheck, evaluation, path] = await Promise.all([
          check(job, query.check, omit, shared),
          version && dataset
            ? evaluate(job, version, dataset, omit, shared)
            : version && omit('evaluation', 'The data set of the version was deleted, or has changed.'),
          computePath(job, query, omit, shared),
        ]);
        // After the evaluation, which may be a look.
        const testSet = version && (await testSets.describe(version));
        const looks = dataset && (await testSets.looksAt(dataset));
        return {
          records,
          drawn: version && selectDrawn(version, omit, context.basePath),
          report: {
            summary: summarizeTraining(job, evaluation),
            job,
            dataset: dataset && withLooks(dataset, looks!),
            examples: dataset === null ? [] : await listExamples(catalog, dataset.id, context.basePath),
            gradientCheck,
            epochs: records.slice(-query.last),
            warnings: await listWarnings(job),
            evaluation,
            path,
            testSet,
            reproduce: describeReproduction(job, context.basePath),
            omitted: omitted.toSorted((one, other) => one.section.localeCompare(other.section)),
          },
        };
      } catch (error) {
        unneeded.abort(error);
        throw error;
      }
    },
  };
}

/** Sections about the published version. */
const OF_VERSION = ['weights', 'evaluation', 'test-set'] as const;

function assertEnded({ id, status }: TrainingJob): void {
  if (isEnded(status)) return;
  const advice =
    status === 'paused'
      ? 'Resume or cancel it first.'
      : `Wait for its end: GET /v1/training-jobs/${id}/events.`;
  throw new AtelierError(
    'impossible-request',
    `Training job ${id} is ${status}. Only ended jobs have a report. ${advice}`,
    { details: [{ parameter: 'id', detail: 'must be a training job that has ended' }] },
  );
}

function describeUnpublished({ status, verification, publication }: TrainingJob): string {
  if (status !== 'succeeded')
    return `The job ${status === 'failed' ? 'failed' : 'was cancelled'}, so it published no version.`;
  if (verification !== null) return `The job verifies ${verification.of}, so it published no version.`;
  return publication?.reason ?? 'The job published no version.';
}

/** @param omit called with errors that concern this section only */
async function attempt<T>(compute: () => Promise<T>, omit: (error: AtelierError) => null): Promise<T | null> {
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

function selectDrawn(version: ModelVersion, omit: Omit, basePath: string): ModelVersion | null {
  const units = version.layerSizes[1]!;
  if (units <= MAX_TILES) return version;
  const url = `/v1/models/${version.name}/versions/${version.version}/weights`;
  const reason = `The first layer has ${units} units. A report draws at most ${MAX_TILES}.`;
  return omit('weights', reason, writeCommand(basePath, url, { output: 'weights.png' }));
}

const withLooks = (dataset: DatasetSummary, looks: number): DatasetSummary => ({
  ...dataset,
  splits: { ...dataset.splits, test: { ...dataset.splits.test, looks } },
});

/** The first training image of each class that has one. */
async function listExamples(catalog: Catalog, id: string, basePath: string): Promise<LabReport['examples']> {
  const dataset: Dataset | undefined = await catalog.get(id);
  if (!dataset) return [];
  return dataset.classNames.flatMap((className, label) => {
    const index = dataset.train.labels.indexOf(label);
    return index < 0 ? [] : [{ label, className, index, image: imageUrl(basePath, id, 'train', index) }];
  });
}

function describeReproduction(job: TrainingJob, basePath: string): LabReport['reproduce'] {
  const body = job.receipt?.request ?? resolvedTrainingRequestSchema.parse(job);
  const verify = writeCommand(basePath, `/v1/training-jobs/${job.id}/verify`, { method: 'POST' });
  return {
    repeat: writeCommand(basePath, '/v1/training-jobs', { body }),
    verify: job.digest === null || job.receipt === null ? null : verify,
  };
}
