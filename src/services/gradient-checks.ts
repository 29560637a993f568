/** Checks the gradient of a network, fresh or trained, in a thread. */
import type { Catalog } from '../datasets/catalog.ts';
import type { Dataset } from '../domain/dataset.ts';
import type { GradientCheck, GradientCheckRequest } from '../domain/gradient-check.ts';
import { parseModelReference } from '../domain/model-reference.ts';
import { DEFAULT_HIDDEN } from '../domain/training-job.ts';
import { AtelierError, type ErrorDetail } from '../errors.ts';
import { gradientCheckCost } from '../numerics/gradient-check-cost.ts';
import { type Network, type Parameters, parameterCount } from '../numerics/network.ts';
import type { GradientCheckTask } from '../workers/messages.ts';
import type { Pool } from '../workers/pool.ts';
import type { NumericTasks } from '../workers/tasks.ts';
import { layerSizesFor } from './build-plan.ts';
import { findDataset } from './find-dataset.ts';
import type { LoadedModel } from './loaded-model.ts';
import { assertGradientCheckFitsMemory } from './memory-limits.ts';
import { loadNamed, type ModelService } from './models.ts';

const DEFAULT_DATASET = 'fashion-mnist';
/** Multiply-adds; a few seconds of the reference. */
export const MAX_COST = 4e9;
/** At 50 bytes and more each: the parameters and their gradient, twice, and two numbers a coordinate. */
export const MAX_PARAMETERS = 10_000_000;
/** Of an npy answer, 8 MB. */
const MAX_NUMBERS = 1_000_000;

export interface GradientCheckOutput {
  readonly report: GradientCheck;
  /** The packed gradient, where one was asked for; NaN where a sample left a coordinate out. */
  readonly npy: Uint8Array | null;
}

export interface GradientCheckService {
  /**
   * @param answer the report alone, or also one of the two gradients
   * @param signal ends the check when the client hangs up
   * @throws AtelierError `unknown-dataset`, `unknown-model`, `impossible-request`, `check-too-costly`
   */
  check(
    request: GradientCheckRequest,
    answer: GradientCheckTask['output'],
    signal: AbortSignal,
  ): Promise<GradientCheckOutput>;
}

export function createGradientCheckService(
  catalog: Catalog,
  models: ModelService,
  numeric: Pool<NumericTasks>,
  onChecked: (passed: boolean) => void = () => {},
): GradientCheckService {
  return {
    async check(request, answer, signal) {
      const model = await resolveModel(request, models);
      const dataset = await resolveDataset(request, model, catalog);
      const { layerSizes, activation, standardization, parameters } = resolveNetwork(request, model, dataset);
      const task: GradientCheckTask = {
        layerSizes,
        activation,
        standardization,
        parameters,
        initialization: request.network?.init ?? 'uniform-fan-in',
        examples: dataset.train,
        indices: exampleIndices(request.examples, dataset),
        scheme: request.scheme,
        stepSize: request.stepSize,
        tolerance: request.tolerance,
        coordinates: request.coordinates,
        seed: request.seed,
        output: answer,
      };
      assertAffordable(task, request.model === undefined ? '#/network/hidden' : '#/model');
      assertGradientCheckFitsMemory(layerSizes, task.indices.length);
      const { npy, ...report } = await numeric.run('checkGradient', task, signal);
      onChecked(report.passed);
      return {
        report: {
          ...report,
          blocks: report.blocks.map((block) => ({ ...block, shape: [...block.shape] })),
        },
        npy,
      };
    },
  };
}

async function resolveModel(
  { model }: GradientCheckRequest,
  models: ModelService,
): Promise<LoadedModel | null> {
  if (model === undefined) return null;
  const { name, version } = parseModelReference(model);
  return loadNamed(models, '#/model', name, version);
}

/** The one that is asked for, or else that of the training. */
function resolveDataset(
  { dataset, model: named }: GradientCheckRequest,
  model: LoadedModel | null,
  catalog: Catalog,
): Promise<Dataset> {
  const trainedOn = dataset === undefined ? model?.datasetId : null;
  const id = dataset ?? trainedOn ?? DEFAULT_DATASET;
  return findDataset(
    catalog,
    id,
    '#/dataset',
    trainedOn ? `${named} was trained on data set ${id}, which is not here any more` : undefined,
  );
}

function resolveNetwork(
  { network }: GradientCheckRequest,
  model: LoadedModel | null,
  dataset: Dataset,
): Network & { readonly parameters: Parameters | null } {
  if (model === null) {
    const layerSizes = layerSizesFor(network?.hidden ?? DEFAULT_HIDDEN, dataset);
    return { layerSizes, activation: network?.activation ?? 'relu', standardization: null, parameters: null };
  }
  if (model.classNames.length !== dataset.classNames.length) {
    throw new AtelierError(
      'impossible-request',
      `Model ${model.reference.name} tells ${model.classNames.length} classes apart, data set ${dataset.id} has ${dataset.classNames.length}.`,
      { details: [{ pointer: '#/dataset', detail: 'must have as many classes as the model' }] },
    );
  }
  return model;
}

function exampleIndices(examples: GradientCheckRequest['examples'], dataset: Dataset): Uint32Array {
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

function assertAffordable(task: GradientCheckTask, networkPointer: string): void {
  const { layerSizes, indices, scheme, coordinates } = task;
  const parameters = parameterCount(layerSizes);
  if (parameters > MAX_PARAMETERS) {
    const detail = `is of at most ${formatCount(MAX_PARAMETERS)} parameters`;
    throw tooCostly(
      `A ${layerSizes.join('-')} network has ${formatCount(parameters)} parameters; one that is checked ${detail}`,
      [{ pointer: networkPointer, detail }],
    );
  }
  if (task.output !== 'report' && parameters > MAX_NUMBERS) {
    const detail = `takes application/json where there are more than ${formatCount(MAX_NUMBERS)}`;
    throw tooCostly(`The gradient has ${formatCount(parameters)} numbers; Accept ${detail}`, [
      { parameter: 'Accept', detail },
    ]);
  }
  const checked = coordinates === 'all' ? parameters : coordinates.sample;
  const cost = (sampled: number) => gradientCheckCost(layerSizes, indices.length, scheme, sampled);
  const times = `This check is ${(cost(checked) / MAX_COST).toFixed(1)} times what can be answered within seconds`;
  if (cost(0) > MAX_COST) {
    const allowed = Math.floor((indices.length * MAX_COST) / cost(0));
    const detail = `are at most ${allowed} for this network, and fewer the more coordinates are checked`;
    throw tooCostly(`${times}. Examples ${detail}`, [{ pointer: '#/examples', detail }]);
  }
  if (cost(checked) > MAX_COST) {
    const advice = 'Check a sample, as in "coordinates": { "sample": 1000 }, or fewer examples';
    throw tooCostly(`${times}. ${advice}`, [
      { pointer: '#/coordinates', detail: 'must be a sample, or a smaller one' },
    ]);
  }
}

const formatCount = (count: number) => count.toLocaleString('en');

function tooCostly(message: string, details: readonly ErrorDetail[]): AtelierError {
  return new AtelierError('check-too-costly', `${message}.`, { details });
}
