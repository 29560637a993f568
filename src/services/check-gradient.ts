/** Checks the gradient of a network, fresh or trained, in a thread. */
import type { Catalog } from '../datasets/catalog.ts';
import type { Dataset } from '../domain/dataset.ts';
import type { GradientCheck, GradientCheckRequest } from '../domain/gradient-check.ts';
import { parseModelReference } from '../domain/model.ts';
import { DEFAULT_HIDDEN } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { gradientCheckCost } from '../numerics/gradient-check-cost.ts';
import { type Network, type Parameters, parameterCount } from '../numerics/network.ts';
import type { GradientCheckResult, GradientCheckTask } from '../workers/messages.ts';
import type { Pool } from '../workers/pool.ts';
import { findDataset } from './find-dataset.ts';
import { loadNamed, type ModelService } from './find-model.ts';
import { assertTrainingFitsMemory } from './memory-estimate.ts';
import { layerSizesOf } from './training-plan.ts';

/** Multiply-adds; a few seconds of the reference. */
const MAX_COST = 4e9;

export interface GradientCheckAnswer {
  readonly report: GradientCheck;
  /** Packed, W1, b1, W2, …; NaN where a sample left a coordinate out. Made when asked for. */
  vector(which: 'analytic' | 'numeric'): Float64Array;
}

export interface GradientCheckService {
  /**
   * @param signal ends the check when the client hangs up
   * @throws AtelierError `unknown-dataset`, `unknown-model`, `impossible-request`, `check-too-costly`
   */
  check(request: GradientCheckRequest, signal: AbortSignal): Promise<GradientCheckAnswer>;
}

export function createGradientCheckService(
  catalog: Catalog,
  models: ModelService,
  pool: Pool<GradientCheckTask, GradientCheckResult>,
): GradientCheckService {
  return {
    async check(request, signal) {
      const dataset = findDataset(catalog, request.dataset, '#/dataset');
      const { layerSizes, activation, standardization, parameters } = await networkOf(
        request,
        dataset,
        models,
      );
      const task: GradientCheckTask = {
        layerSizes,
        activation,
        standardization,
        parameters,
        initialization: request.network?.init ?? 'uniform-fan-in',
        examples: dataset.train,
        indices: indicesOf(request.examples, dataset),
        scheme: request.scheme,
        stepSize: request.stepSize,
        tolerance: request.tolerance,
        coordinates: request.coordinates,
        seed: request.seed,
      };
      assertAffordable(task);
      const { positions, analytic, numeric, ...report } = await pool.run(task, signal);
      const vectors = { analytic, numeric };
      return {
        report: {
          ...report,
          blocks: report.blocks.map((block) => ({ ...block, shape: [...block.shape] })),
        },
        vector: (which) => scatter(vectors[which], positions, parameterCount(layerSizes)),
      };
    },
  };
}

async function networkOf(
  { network, model }: GradientCheckRequest,
  dataset: Dataset,
  models: ModelService,
): Promise<Network & { parameters: Parameters | null }> {
  if (model === undefined) {
    const layerSizes = layerSizesOf(network?.hidden ?? DEFAULT_HIDDEN, dataset);
    assertTrainingFitsMemory(layerSizes);
    return { layerSizes, activation: network?.activation ?? 'relu', standardization: null, parameters: null };
  }
  const { name, version } = parseModelReference(model);
  const loaded = await loadNamed(models, '#/model', name, version);
  if (loaded.classNames.length !== dataset.classNames.length) {
    throw new AtelierError(
      'impossible-request',
      `Model ${name} tells ${loaded.classNames.length} classes apart, data set ${dataset.id} has ${dataset.classNames.length}.`,
      { details: [{ pointer: '#/dataset', detail: 'must have as many classes as the model' }] },
    );
  }
  return loaded;
}

function indicesOf(examples: GradientCheckRequest['examples'], dataset: Dataset): Uint32Array {
  const count = dataset.train.labels.length;
  const indices = typeof examples === 'number' ? Array.from({ length: examples }, (_, n) => n) : examples;
  const wrong = indices.findIndex((index) => index >= count);
  if (wrong >= 0) {
    const pointer = typeof examples === 'number' ? '#/examples' : `#/examples/${wrong}`;
    throw new AtelierError(
      'impossible-request',
      `There is no training image ${indices[wrong]}; data set ${dataset.id} has 0 to ${count - 1}.`,
      { details: [{ pointer, detail: `must be at most ${count - 1}` }] },
    );
  }
  return Uint32Array.from(indices);
}

function assertAffordable({ layerSizes, indices, scheme, coordinates }: GradientCheckTask): void {
  const checked = coordinates === 'all' ? parameterCount(layerSizes) : coordinates.sample;
  const cost = gradientCheckCost(layerSizes, indices.length, scheme, checked);
  if (cost <= MAX_COST) return;
  const times = (cost / MAX_COST).toFixed(1);
  throw new AtelierError(
    'check-too-costly',
    `This check is ${times} times what can be answered within seconds. ` +
      'Check a sample, as in "coordinates": { "sample": 1000 }, or fewer examples.',
    { details: [{ pointer: '#/coordinates', detail: 'must be a sample, or a smaller one' }] },
  );
}

function scatter(values: Float64Array, positions: Uint32Array, length: number): Float64Array {
  if (values.length === length) return values;
  const packed = new Float64Array(length).fill(Number.NaN);
  for (const [i, position] of positions.entries()) packed[position] = values[i]!;
  return packed;
}
