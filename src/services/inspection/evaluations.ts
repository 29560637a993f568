/** Evaluates and compares model versions on a split, in a worker thread. */

import { type Catalog, listDatasetIds } from '../../datasets/catalog.ts';
import type {
  ComparisonQuery,
  EvaluationCellQuery,
  EvaluationQuery,
} from '../../domain/checks/evaluation.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import {
  parseModelReference,
  type VersionName,
  type VersionReference,
} from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import type { CoverageReport } from '../../numerics/calibration/coverage.ts';
import type { ClassificationReport, ConfusionCell } from '../../numerics/evaluation/classification-report.ts';
import type { Comparison } from '../../numerics/evaluation/comparison.ts';
import type { Ranking } from '../../numerics/evaluation/ranking.ts';
import { architectureText } from '../../numerics/network/architecture.ts';
import { kernelCost } from '../../numerics/simd/layers-layout.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import type { LoadedCalibration } from '../../protocols/codec.ts';
import { type LookKind, SERVICE } from '../../store/database/tables.ts';
import { LOOKED_AT, type Looks } from '../../store/models/looks.ts';
import type { ServedNetwork } from '../../workers/kernel/compile.ts';
import type { NumericPool } from '../../workers/pools.ts';
import { assertFitsModel, selectSplit } from '../datasets/find.ts';
import { findNamed, type ModelService, servedNetwork } from '../models/catalog.ts';
import { mayBeTrainedOn } from '../training/splits.ts';
import { createCoalescingCache } from './coalesce.ts';
import { assertComparable, selectCell } from './evaluation-requests.ts';

/** Limit in multiply-adds, those by zero included: ten to thirty seconds of the kernel. */
export const MAX_EVALUATION_COST = 2.5e11;
/** Where a request names the data set. */
type Place = { readonly pointer: string } | { readonly parameter: string };
const PARAMETER = { parameter: 'dataset' } as const;
const SPLIT_PARAMETER = { parameter: 'split' } as const;
/** Number of cached results, of a few kilobytes each. */
const MAX_CACHED = 256;
/** Number of cached rankings, of some tens of kilobytes each. */
const MAX_CACHED_RANKINGS = 32;

export type EvaluationService = ReturnType<typeof createEvaluationService>;

interface Evaluated {
  readonly model: VersionReference;
  readonly classNames: readonly string[];
  readonly dataset: DatasetSummary;
}

export function createEvaluationService(
  catalog: Catalog,
  models: ModelService,
  numeric: NumericPool,
  looks: Pick<Looks, 'record'>,
  calibrations: {
    load(model: VersionReference, signal: AbortSignal): Promise<LoadedCalibration>;
  },
) {
  const coalesceReport = createCoalescingCache<ClassificationReport>(MAX_CACHED);
  const coalesceRanking = createCoalescingCache<Ranking>(MAX_CACHED_RANKINGS);
  const coalesceCoverage = createCoalescingCache<CoverageReport>(MAX_CACHED);
  const coalesceComparison = createCoalescingCache<Comparison>(MAX_CACHED);

  async function load({ name, version }: ModelVersion): Promise<ServedNetwork> {
    return servedNetwork(await models.load(name, version));
  }

  async function loadExamples({ id }: DatasetSummary, { split }: EvaluationQuery): Promise<Examples> {
    const dataset = await catalog.get(id);
    if (dataset) return selectSplit(id, dataset, split, SPLIT_PARAMETER);
    throw unknownDataset(catalog, `Data set ${id} has just been deleted`, PARAMETER);
  }

  /** Counts the results before they are revealed. */
  async function count(
    kind: LookKind,
    versions: readonly ModelVersion[],
    dataset: DatasetSummary,
    split: EvaluationQuery['split'],
    caller: string,
  ): Promise<void> {
    if (split !== LOOKED_AT) return;
    await looks.record(versions.map((network) => ({ datasetDigest: dataset.digest, kind, network, caller })));
  }

  async function find(
    { name, version }: { readonly name: string; readonly version: VersionName },
    query: EvaluationQuery,
  ) {
    const found = await models.version(name, version);
    const dataset = await resolveDataset(catalog, found, query.dataset, PARAMETER);
    assertAffordable([found], dataset, query.split);
    return { found, dataset };
  }

  /** Computes a result of a version on the images of a split. */
  async function reveal<T>(
    found: ModelVersion,
    dataset: DatasetSummary,
    query: EvaluationQuery,
    caller: string,
    compute: (task: { readonly network: ServedNetwork; readonly examples: Examples }) => Promise<T>,
  ): Promise<T> {
    using _used = catalog.use(dataset.id);
    const examples = await loadExamples(dataset, query);
    const computed = await compute({ network: await load(found), examples });
    await count('evaluation', [found], dataset, query.split, caller);
    return computed;
  }

  return {
    /**
     * Results on the test split are counted as looks, once for each network.
     * @param signal aborts when the client disconnects; the work stops when no client is waiting for it
     * @param caller name of an API key, or `anonymous`
     * @throws AtelierError `model-not-found`, `unknown-dataset`, `dataset-damaged`, `impossible-request`,
     *   `evaluation-too-costly`, `storage-full`
     */
    async evaluate(
      { name, version }: { readonly name: string; readonly version: VersionName },
      query: EvaluationCellQuery,
      signal: AbortSignal,
      caller: string = SERVICE,
    ) {
      const { found, dataset } = await find({ name, version }, query);
      const cell = selectCell(found, query);
      const key = cacheKey([found], dataset, query, cell);
      const report = await coalesceReport(key, signal, (abortSignal) =>
        reveal(found, dataset, query, caller, (task) =>
          numeric.run('evaluate', { ...task, cell }, abortSignal),
        ),
      );
      return { ...describe(found, dataset), report };
    },

    /** Threshold curves and the areas under them. @throws AtelierError as `evaluate` */
    async rank(
      model: { readonly name: string; readonly version: VersionName },
      query: EvaluationQuery,
      signal: AbortSignal,
      caller: string = SERVICE,
    ) {
      const { found, dataset } = await find(model, query);
      const key = cacheKey([found], dataset, query);
      const ranking = await coalesceRanking(key, signal, (abortSignal) =>
        reveal(found, dataset, query, caller, (task) => numeric.run('rank', task, abortSignal)),
      );
      return { ...describe(found, dataset), ranking };
    },

    /** The coverage of the calibration of the version. @throws AtelierError as `evaluate`, and `not-calibrated` */
    async measureCoverage(
      model: { readonly name: string; readonly version: VersionName },
      query: EvaluationQuery,
      signal: AbortSignal,
      caller: string = SERVICE,
    ) {
      const { found, dataset } = await find(model, query);
      const calibration = await calibrations.load(toReference(found), signal);
      const { used, digest, temperature } = calibration;
      const key = JSON.stringify([cacheKey([found], dataset, query), digest]);
      const report = await coalesceCoverage(key, signal, (abortSignal) =>
        reveal(found, dataset, query, caller, (task) =>
          numeric.run('measureCoverage', { ...task, calibration }, abortSignal),
        ),
      );
      const isTrained = mayBeTrainedOn(found, dataset.digest, query.split);
      const calibrated = await catalog.find(used.dataset);
      const isCalibrated =
        calibrated?.digest === dataset.digest &&
        // Validation images are a split, or a part of the training images.
        (used.split === 'validation' ? query.split !== 'test' : used.split === query.split);
      return {
        ...describe(found, dataset),
        report,
        calibration: { ...used, temperature },
        reused: isTrained || isCalibrated,
      };
    },

    /** @throws AtelierError as `evaluate`, and `unknown-model` */
    async compare(
      { name, version }: { readonly name: string; readonly version: VersionName },
      query: ComparisonQuery,
      signal: AbortSignal,
      caller: string = SERVICE,
    ) {
      const found = await models.version(name, version);
      const requested = parseModelReference(query.with);
      const other = await findNamed({ parameter: 'with' }, () =>
        models.version(requested.name, requested.version),
      );
      assertComparable(found, other);
      const dataset = await resolveDataset(catalog, found, query.dataset, PARAMETER);
      assertAffordable([found, other], dataset, query.split);
      const key = cacheKey([found, other], dataset, query);
      const comparison = await coalesceComparison(key, signal, async (abortSignal) => {
        using _used = catalog.use(dataset.id);
        const examples = await loadExamples(dataset, query);
        const networks = { network: await load(found), other: await load(other) };
        const computed = await numeric.run('compare', { ...networks, examples }, abortSignal);
        await count('comparison', [found, other], dataset, query.split, caller);
        return computed;
      });
      return { ...describe(found, dataset), other: toReference(other), comparison };
    },
  };
}

const toReference = ({ name, version }: ModelVersion): VersionReference => ({ name, version });

const describe = (version: ModelVersion, dataset: DatasetSummary): Evaluated => ({
  model: toReference(version),
  classNames: version.classNames,
  dataset,
});

/** The key depends on the content, because a deleted name can be reused for another model. */
function cacheKey(
  versions: readonly ModelVersion[],
  dataset: DatasetSummary,
  { split }: EvaluationQuery,
  cell: ConfusionCell | null = null,
): string {
  const networks = versions.map((version) => [
    version.digest,
    architectureOf(version),
    version.activation,
    version.standardization,
  ]);
  return JSON.stringify([networks, dataset.digest, split, cell]);
}

/** The requested data set, or the one that the version was trained on if none is requested. */
export async function resolveDataset(
  catalog: Catalog,
  model: ModelVersion,
  requested: string | undefined,
  place: Place,
): Promise<DatasetSummary> {
  const id = requested ?? model.lineage.dataset?.id;
  const subject = `version ${model.version} of model ${model.name}`;
  if (id === undefined)
    throw unknownDataset(catalog, `The training data set of ${subject} is unknown`, place);
  const dataset = await catalog.find(id);
  if (!dataset) {
    throw unknownDataset(
      catalog,
      requested === undefined
        ? `The training data set ${id} of ${subject} no longer exists`
        : `Data set ${id} does not exist`,
      place,
    );
  }
  assertFitsModel(dataset, model.name, model, place);
  return dataset;
}

export function unknownDataset(catalog: Catalog, reason: string, place: Place): AtelierError {
  const detail = `must be one of: ${listDatasetIds(catalog)}`;
  return new AtelierError('unknown-dataset', `${reason}; dataset ${detail}.`, {
    details: [{ ...place, detail }],
  });
}

function assertAffordable(
  versions: readonly ModelVersion[],
  dataset: DatasetSummary,
  split: EvaluationQuery['split'],
): void {
  const perImage = versions.reduce((sum, version) => sum + kernelCost(architectureOf(version)), 0);
  const count = selectSplit(dataset.id, dataset.splits, split, SPLIT_PARAMETER).examples;
  if (count * perImage <= MAX_EVALUATION_COST) return;
  const networks = versions.map((version) => architectureText(architectureOf(version))).join(' and ');
  const test = dataset.splits.test.examples;
  const testIsAffordable = test * perImage <= MAX_EVALUATION_COST;
  const advice = testIsAffordable
    ? `Use split=test with its ${test.toLocaleString('en')} images`
    : 'Select a data set with fewer images by ?dataset=';
  throw new AtelierError(
    'evaluation-too-costly',
    `Evaluating ${networks} on ${count.toLocaleString('en')} images takes ${((count * perImage) / MAX_EVALUATION_COST).toFixed(1)} times the limit per request. ` +
      `${advice}.`,
    { details: [{ parameter: testIsAffordable ? 'split' : 'dataset', detail: 'must have fewer images' }] },
  );
}
