/** Collects what a model card shows. A card never reveals a test result that was not revealed before. */

import type { Catalog } from '../../datasets/catalog.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import type { VersionName } from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import type { ModelCard } from '../../domain/reports/model-card.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import { parameterCount } from '../../numerics/network/architecture.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { EvaluationService } from '../inspection/evaluations.ts';
import type { ModelService } from '../models/catalog.ts';
import type { TestSetService } from '../models/test-sets.ts';
import { findAreas, findCoverage } from './facts.ts';

type Evaluated = Awaited<ReturnType<EvaluationService['evaluate']>>;

export interface CardContent
  extends Pick<
    ModelCard,
    'version' | 'parameters' | 'dataset' | 'areas' | 'coverage' | 'testSet' | 'receipt' | 'notEvaluated'
  > {
  readonly evaluated: Evaluated | null;
}

export type ModelCardService = ReturnType<typeof createModelCardService>;

export function createModelCardService(options: {
  store: Pick<Store, 'looks' | 'jobs'>;
  catalog: Catalog;
  models: ModelService;
  evaluations: EvaluationService;
  testSets: TestSetService;
}) {
  const { store, catalog, models, evaluations, testSets } = options;

  /** Returns the evaluation, or the reason why it is missing. */
  async function evaluate(version: ModelVersion, signal: AbortSignal): Promise<Evaluated | string> {
    const { dataset } = version.lineage;
    if (dataset === null) return 'The version has no data set.';
    const found = await catalog.find(dataset.id);
    if (found?.digest !== dataset.digest) return 'The data set of the version no longer exists.';
    if (!(await store.looks.has(dataset.digest, version))) {
      return 'No test result of the version has been revealed yet, and a card never reveals the first one.';
    }
    try {
      return await evaluations.evaluate(version, { split: 'test' }, signal);
    } catch (error) {
      if (!(error instanceof AtelierError)) throw error;
      if (!hasCode(error, 'evaluation-too-costly', 'unknown-dataset', 'impossible-request')) throw error;
      return error.message;
    }
  }

  return {
    /**
     * @param signal aborts when the client disconnects
     * @throws AtelierError `model-not-found`, `dataset-damaged`, `overloaded`
     */
    async collect(model: { readonly name: string; readonly version: VersionName }, signal: AbortSignal) {
      const version = await models.version(model.name, model.version);
      const { dataset, jobId } = version.lineage;
      const evaluated = await evaluate(version, signal);
      const found = dataset && (await catalog.find(dataset.id));
      const job = jobId === null ? undefined : await store.jobs.get(jobId);
      return {
        version,
        parameters: parameterCount(architectureOf(version)),
        dataset: found && found.digest === dataset.digest ? found : null,
        areas: typeof evaluated === 'string' ? null : await findAreas(evaluations, version, signal),
        coverage: typeof evaluated === 'string' ? null : await findCoverage(evaluations, version, signal),
        testSet: await testSets.describe(version),
        receipt: job?.receipt ?? null,
        ...(typeof evaluated === 'string'
          ? { evaluated: null, notEvaluated: evaluated }
          : { evaluated, notEvaluated: null }),
      };
    },
  };
}
