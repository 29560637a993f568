/** Evaluates and compares model versions on a split, in a worker thread. */

import { type Catalog, listDatasetIds } from '../../datasets/catalog.ts';
import type {
  ComparisonQuery,
  EvaluationCellQuery,
  EvaluationQuery,
} from '../../domain/checks/evaluation.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import { showImageShape } from '../../domain/image-shape.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import {
  parseModelReference,
  type VersionName,
  type VersionReference,
} from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import type { ClassificationReport, ConfusionCell } from '../../numerics/evaluation/classification-report.ts';
import type { Comparison } from '../../numerics/evaluation/comparison.ts';
import { architectureText, forwardCost } from '../../numerics/network/architecture.ts';
import { isSameShape } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import { type LookKind, SERVICE } from '../../store/database/tables.ts';
import { LOOKED_AT, type Looks } from '../../store/models/looks.ts';
import type { ServedNetwork } from '../../workers/kernel/compile.ts';
import type { NumericPool } from '../../workers/pools.ts';
import { assertFitsModel } from '../datasets/find.ts';
import { findNamed, type ModelService, servedNetwork } from '../models/catalog.ts';
import { createCoalescingCache } from './coalesce.ts';

/** Limit in multiply-adds, those by zero included: ten to thirty seconds of the kernel. */
export const MAX_EVALUATION_COST = 2.5e11;
/** Where a request names the data set. */
type Place = { readonly pointer: string } | { readonly parameter: string };
const PARAMETER = { parameter: 'dataset' } as const;
/** Number of cached results, of a few kilobytes each. */
const MAX_CACHED = 256;

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
) {
  const coalesceReport = createCoalescingCache<ClassificationReport>(MAX_CACHED);
  const coalesceComparison = createCoalescingCache<Comparison>(MAX_CACHED);

  async function load({ name, version }: ModelVersion): Promise<ServedNetwork> {
    return servedNetwork(await models.load(name, version));
  }

  async function loadExamples({ id }: DatasetSummary, { split }: EvaluationQuery): Promise<Examples> {
    const dataset = await catalog.get(id);
    if (dataset) return dataset[split];
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
      const found = await models.version(name, version);
      const dataset = await resolveDataset(catalog, found, query.dataset, PARAMETER);
      assertAffordable([found], dataset, query.split);
      const cell = selectCell(found, query);
      const key = cacheKey([found], dataset, query, cell);
      const report = await coalesceReport(key, signal, async (abortSignal) => {
        const examples = await loadExamples(dataset, query);
        const task = { network: await load(found), examples, cell };
        const computed = await numeric.run('evaluate', task, abortSignal);
        await count('evaluation', [found], dataset, query.split, caller);
        return computed;
      });
      return { ...describe(found, dataset), report };
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

function unknownDataset(catalog: Catalog, reason: string, place: Place): AtelierError {
  const detail = `must be one of: ${listDatasetIds(catalog)}`;
  return new AtelierError('unknown-dataset', `${reason}; dataset ${detail}.`, {
    details: [{ ...place, detail }],
  });
}

/** @throws AtelierError `impossible-request` for a class that the model does not have */
function selectCell(
  { name, classNames }: ModelVersion,
  { label, predicted }: EvaluationCellQuery,
): ConfusionCell | null {
  if (label === undefined || predicted === undefined) return null;
  const last = classNames.length - 1;
  if (label <= last && predicted <= last) return { label, predicted };
  throw new AtelierError('impossible-request', `The classes of model ${name} are 0 to ${last}.`, {
    details: [
      { parameter: label > last ? 'label' : 'predicted', detail: `must be an integer from 0 to ${last}` },
    ],
  });
}

function assertComparable(version: ModelVersion, other: ModelVersion): void {
  const reject = (property: string, ours: string, theirs: string): never => {
    throw new AtelierError(
      'impossible-request',
      `Version ${version.version} of model ${version.name} has the ${property} ${ours}; version ${other.version} of ` +
        `model ${other.name} has ${theirs}. Only versions with the same ${property} can be compared.`,
      { details: [{ parameter: 'with', detail: `must have the same ${property}` }] },
    );
  };
  if (!isSameShape(version.inputShape, other.inputShape))
    reject('input shape', showImageShape(version.inputShape), showImageShape(other.inputShape));
  const [ours, theirs] = [version.classNames, other.classNames];
  if (ours.length !== theirs.length || ours.some((name, label) => name !== theirs[label]))
    reject('classes', ours.join(', '), theirs.join(', '));
}

function assertAffordable(
  versions: readonly ModelVersion[],
  dataset: DatasetSummary,
  split: EvaluationQuery['split'],
): void {
  const perImage = versions.reduce((sum, version) => sum + forwardCost(architectureOf(version)), 0);
  const count = dataset.splits[split].examples;
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
