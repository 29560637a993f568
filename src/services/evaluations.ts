/** Measures versions of models on a split, and two against each other, in a thread. */
import { type Catalog, listDatasetIds } from '../datasets/catalog.ts';
import type { DatasetSummary } from '../domain/dataset.ts';
import type { ComparisonQuery, EvaluationQuery } from '../domain/evaluation.ts';
import type { ModelVersion } from '../domain/model.ts';
import { parseModelReference, type VersionName, type VersionReference } from '../domain/model-reference.ts';
import { AtelierError } from '../errors.ts';
import type { Examples } from '../numerics/engine.ts';
import type { ClassificationReport } from '../numerics/evaluation/classification-report.ts';
import type { Comparison } from '../numerics/evaluation/comparison.ts';
import { forwardCost } from '../numerics/forward.ts';
import type { ServedNetwork } from '../workers/messages.ts';
import type { Pool } from '../workers/pool.ts';
import type { NumericTasks } from '../workers/tasks.ts';
import { createCoalescingCache } from './coalesce.ts';
import { findNamed, type ModelService, servedNetwork } from './models.ts';

/** Multiply-adds, zeros not skipped: ten to thirty seconds of the kernel. */
export const MAX_EVALUATION_COST = 2.5e11;
/** A few kilobytes each. */
const MAX_CACHED = 256;

export interface EvaluationService {
  /**
   * @param signal of the client: when nobody waits any more, the work stops
   * @throws AtelierError `model-not-found`, `unknown-dataset`, `impossible-request`, `evaluation-too-costly`
   */
  evaluate(
    model: { readonly name: string; readonly version: VersionName },
    query: EvaluationQuery,
    signal: AbortSignal,
  ): Promise<Evaluated & { readonly report: ClassificationReport }>;
  /** @throws AtelierError as `evaluate`, and `unknown-model` */
  compare(
    model: { readonly name: string; readonly version: VersionName },
    query: ComparisonQuery,
    signal: AbortSignal,
  ): Promise<Evaluated & { readonly other: VersionReference; readonly comparison: Comparison }>;
}

interface Evaluated {
  readonly model: VersionReference;
  readonly classNames: readonly string[];
  readonly dataset: DatasetSummary;
}

export function createEvaluationService(
  catalog: Catalog,
  models: ModelService,
  numeric: Pool<NumericTasks>,
): EvaluationService {
  const coalesceReport = createCoalescingCache<ClassificationReport>(MAX_CACHED);
  const coalesceComparison = createCoalescingCache<Comparison>(MAX_CACHED);

  async function load({ name, version }: ModelVersion): Promise<ServedNetwork> {
    return servedNetwork(await models.load(name, version));
  }

  async function loadExamples({ id }: DatasetSummary, { split }: EvaluationQuery): Promise<Examples> {
    const dataset = await catalog.get(id);
    if (dataset) return dataset[split];
    throw unknown(catalog, `Data set ${id} has just been deleted`);
  }

  return {
    async evaluate({ name, version }, query, signal) {
      const found = await models.version(name, version);
      const dataset = resolveDataset(catalog, found, query.dataset);
      assertAffordable([found], dataset, query.split);
      const report = await coalesceReport(cacheKey([found], dataset, query), signal, async (unwanted) => {
        const examples = await loadExamples(dataset, query);
        return numeric.run('evaluate', { network: await load(found), examples }, unwanted);
      });
      return { ...describe(found, dataset), report };
    },

    async compare({ name, version }, query, signal) {
      const found = await models.version(name, version);
      const asked = parseModelReference(query.with);
      const other = await findNamed({ parameter: 'with' }, () => models.version(asked.name, asked.version));
      assertSameClasses(found, other);
      const dataset = resolveDataset(catalog, found, query.dataset);
      assertAffordable([found, other], dataset, query.split);
      const key = cacheKey([found, other], dataset, query);
      const comparison = await coalesceComparison(key, signal, async (unwanted) => {
        const examples = await loadExamples(dataset, query);
        const networks = { network: await load(found), other: await load(other) };
        return numeric.run('compare', { ...networks, examples }, unwanted);
      });
      return { ...describe(found, dataset), other: referenceOf(other), comparison };
    },
  };
}

const referenceOf = ({ name, version }: ModelVersion): VersionReference => ({ name, version });

const describe = (version: ModelVersion, dataset: DatasetSummary): Evaluated => ({
  model: referenceOf(version),
  classNames: version.classNames,
  dataset,
});

/** By content: a name that is deleted and given again is another model. */
function cacheKey(
  versions: readonly ModelVersion[],
  dataset: DatasetSummary,
  { split }: EvaluationQuery,
): string {
  const networks = versions.map(({ digest, layerSizes, activation, standardization }) => [
    digest,
    layerSizes,
    activation,
    standardization,
  ]);
  return JSON.stringify([networks, dataset.digest, split]);
}

/** The one that is asked for, or else that of the training. */
function resolveDataset(
  catalog: Catalog,
  { name, version, lineage, classNames }: ModelVersion,
  asked: string | undefined,
): DatasetSummary {
  const id = asked ?? lineage.dataset?.id;
  const subject = `Version ${version} of model ${name}`;
  if (id === undefined) throw unknown(catalog, `${subject} does not tell which data set it was trained on`);
  const dataset = catalog.summary(id);
  if (!dataset) {
    throw unknown(
      catalog,
      asked === undefined
        ? `${subject} was trained on data set ${id}, which is not here any more`
        : `There is no data set ${id}`,
    );
  }
  if (dataset.classNames.length === classNames.length) return dataset;
  throw new AtelierError(
    'impossible-request',
    `Model ${name} tells ${classNames.length} classes apart, data set ${id} has ${dataset.classNames.length}.`,
    { details: [{ parameter: 'dataset', detail: 'must have as many classes as the model' }] },
  );
}

function unknown(catalog: Catalog, reason: string): AtelierError {
  const detail = `must be one of: ${listDatasetIds(catalog)}`;
  return new AtelierError('unknown-dataset', `${reason}; dataset ${detail}.`, {
    details: [{ parameter: 'dataset', detail }],
  });
}

function assertSameClasses(version: ModelVersion, other: ModelVersion): void {
  const [ours, theirs] = [version.classNames, other.classNames];
  if (ours.length === theirs.length && ours.every((name, label) => name === theirs[label])) return;
  throw new AtelierError(
    'impossible-request',
    `Version ${version.version} of model ${version.name} tells apart ${ours.join(', ')}; version ${other.version} of ` +
      `model ${other.name} tells apart ${theirs.join(', ')}. Only versions of the same classes can be compared.`,
    { details: [{ parameter: 'with', detail: 'must have the same classes' }] },
  );
}

function assertAffordable(
  versions: readonly ModelVersion[],
  dataset: DatasetSummary,
  split: EvaluationQuery['split'],
): void {
  const perImage = versions.reduce((sum, { layerSizes }) => sum + forwardCost(layerSizes), 0);
  const count = dataset.splits[split].examples;
  if (count * perImage <= MAX_EVALUATION_COST) return;
  const networks = versions.map(({ layerSizes }) => layerSizes.join('-')).join(' and ');
  const test = dataset.splits.test.examples;
  const testIsAffordable = test * perImage <= MAX_EVALUATION_COST;
  const advice = testIsAffordable
    ? `Ask for split=test, which has ${test.toLocaleString('en')}`
    : 'Name a data set of fewer images by ?dataset=';
  throw new AtelierError(
    'evaluation-too-costly',
    `${networks} on ${count.toLocaleString('en')} images is ${((count * perImage) / MAX_EVALUATION_COST).toFixed(1)} times what can be answered ` +
      `while a client waits. ${advice}.`,
    { details: [{ parameter: testIsAffordable ? 'split' : 'dataset', detail: 'must have fewer images' }] },
  );
}
