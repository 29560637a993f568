/** Collects a lab report: what the other services give about one ended training job. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { EpochRecord } from '../../domain/jobs/epoch-record.ts';
import { isEnded } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import {
  type LabReport,
  type LabReportQuery,
  type Omission,
  summarizeTraining,
} from '../../domain/reports/lab-report.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { EvaluationService } from '../inspection/evaluations.ts';
import type { GradientCheckService } from '../inspection/gradient-checks.ts';
import type { SgdPathService } from '../inspection/sgd-paths.ts';
import type { ModelService } from '../models/catalog.ts';
import type { TestSetService } from '../models/test-sets.ts';
import type { SearchService } from '../searches/lifecycle.ts';
import {
  describeReproduction,
  describeUnpublished,
  findAreas,
  findCoverage,
  listExamples,
  selectDrawn,
  withLooks,
} from './facts.ts';
import { attempt, createReportSections, type Omit, type ReportContext } from './sections.ts';

/** Events that are searched for warnings. */
const MAX_EVENTS = 5000;
/** Listed trials of a search. */
const MAX_TRIALS = 20;

/** The report, and what its pictures show besides. */
export interface CollectedReport {
  readonly report: LabReport;
  readonly records: readonly EpochRecord[];
  /** Whether the job is a trial that its search stopped. */
  readonly isStopped: boolean;
  /** The version whose weights are drawn; null if they are left out. */
  readonly drawn: ModelVersion | null;
}

export type LabReportService = ReturnType<typeof createLabReportService>;

export function createLabReportService(options: {
  store: Pick<Store, 'looks' | 'events' | 'epochRecords'>;
  catalog: Catalog;
  models: Pick<ModelService, 'version'>;
  gradients: GradientCheckService;
  evaluations: EvaluationService;
  paths: SgdPathService;
  testSets: TestSetService;
  searches: Pick<SearchService, 'get' | 'leaderboard'>;
}) {
  const { store, catalog, models, testSets, searches } = options;
  const sections = createReportSections({ ...options, looks: store.looks });

  /** Returns null if the data set was deleted or has changed. */
  async function findDataset(job: TrainingJob, omit: Omit): Promise<DatasetSummary | null> {
    const found = await catalog.find(job.dataset);
    const isSame = found && (job.receipt === null || job.receipt.dataset.digest === found.digest);
    return isSame ? found : omit('data', `Data set ${job.dataset} was deleted, or has changed.`);
  }

  /** Returns the published version, or the reason why it is missing. */
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

  /** Returns no search for a job without one. */
  async function findSearch({ search, status }: TrainingJob) {
    if (search === null) return { search: null, trials: [], isStopped: false };
    const found = await searches.get(search.id);
    const leaderboard = await searches.leaderboard(search.id);
    const trial = leaderboard.find((each) => each.trial === search.trial);
    const isStopped = status === 'cancelled' && trial?.status === 'stopped';
    return { search: found, trials: leaderboard.slice(0, MAX_TRIALS), isStopped };
  }

  /** Later epochs have disproved the warnings of earlier ones. */
  async function listWarnings({ id, warnings }: TrainingJob): Promise<string[]> {
    const { data } = await store.events.list(id, { limit: MAX_EVENTS });
    const others = data
      .filter(({ type, data: { epoch } }) => type === 'warning' && epoch === undefined)
      .flatMap(({ data: { message } }) => (typeof message === 'string' ? [message] : []));
    return [...others, ...warnings.map(({ message }) => message)];
  }

  return {
    /**
     * The evaluation counts as a look if it is the first test result of the version. Of a job that never measures the
     * test split it is shown only if a test result of the version was revealed before.
     * @throws AtelierError `illegal-transition` if the job has not ended; `dataset-damaged`, `overloaded`, `storage-full`
     */
    async collect(job: TrainingJob, query: LabReportQuery, { signal, ...context }: ReportContext) {
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
      const shared = { ...context, omit, signal: AbortSignal.any([signal, unneeded.signal]) };
      try {
        const [gradientCheck, evaluation, path] = await Promise.all([
          sections.check(job, query.check, shared),
          version && dataset
            ? sections.evaluate(job, version, dataset, shared)
            : version && omit('evaluation', 'The data set of the version was deleted, or has changed.'),
          sections.computePath(job, query, shared),
        ]);
        // After the evaluation, because it may be a look.
        const testSet = version && (await testSets.describe(version));
        const examples =
          dataset &&
          (await attempt(
            () => listExamples(catalog, dataset.id, context.basePath),
            (error) => omit('data', error.message),
          ));
        const { search, trials, isStopped } = await findSearch(job);
        const looks = dataset && (await testSets.looksAt(dataset));
        return {
          records,
          isStopped,
          drawn: version && selectDrawn(version, shared),
          report: {
            summary: summarizeTraining(job, evaluation, isStopped),
            job,
            dataset: dataset && withLooks(dataset, looks!),
            examples: examples ?? [],
            gradientCheck,
            search,
            trials,
            epochs: records.slice(-query.last),
            warnings: await listWarnings(job),
            evaluation,
            calibration: version?.calibration ?? null,
            areas: evaluation && version && (await findAreas(options.evaluations, version, shared.signal)),
            coverage:
              evaluation && version && (await findCoverage(options.evaluations, version, shared.signal)),
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
    'illegal-transition',
    `Training job ${id} is ${status}. Only ended jobs have a report. ${advice}`,
    { details: [{ parameter: 'id', detail: 'must be a training job that has ended' }] },
  );
}
