/** Checks the gradient of a new or trained network in a worker thread. */

import type { Catalog } from '../../datasets/catalog.ts';
import type { GradientCheckRequest } from '../../domain/checks/gradient.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import { networkSchema } from '../../domain/jobs/request.ts';
import { parseModelReference } from '../../domain/models/reference.ts';
import { findNetworkConflicts } from '../../domain/training/conflicts.ts';
import { AtelierError, type ErrorDetail } from '../../errors.ts';
import { affordableCoordinates, gradientCheckCost } from '../../numerics/checks/cost.ts';
import { architectureText, parameterCount } from '../../numerics/network/architecture.ts';
import type { Network, Parameters } from '../../numerics/network/layers.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { GradientCheckTask } from '../../workers/tasks/gradient-check.ts';
import { assertFitsModel, findDataset } from '../datasets/find.ts';
import { loadNamed, type ModelService } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import { architectureFor } from '../training/plan.ts';
import { assertNoConflicts } from '../training/resolve-request.ts';

const DEFAULT_DATASET = 'fashion-mnist';
/** Limit in multiply-adds: a few seconds of the reference engine. */
export const MAX_COST = 4e9;
/** Largest default sample of a network with convolutions. */
const DEFAULT_SAMPLE = 1000;
/** Each parameter takes at least 84 bytes; see `gradientCheckBytes`. */
export const MAX_PARAMETERS = 10_000_000;
/** Limit of the numbers in an npy response, 8 MB. */
const MAX_NUMBERS = 1_000_000;

export type GradientCheckService = ReturnType<typeof createGradientCheckService>;

export function createGradientCheckService(
  catalog: Catalog,
  models: ModelService,
  numeric: NumericPool,
  onChecked: (passed: boolean) => void = () => {},
) {
  return {
    /**
     * @param output the report only, or also one of the two gradients
     * @param signal aborts the check when the client disconnects
     * @returns the report and, if requested, the packed gradient; NaN for coordinates outside the sample
     * @throws AtelierError `unknown-dataset`, `dataset-damaged`, `unknown-model`, `impossible-request`,
     *   `check-too-costly`, `overloaded`
     */
    async check(request: GradientCheckRequest, output: GradientCheckTask['output'], signal: AbortSignal) {
      const model = await resolveModel(request, models);
      const dataset = await resolveDataset(request, model, catalog);
      const { architecture, activation, standardization, parameters } = resolveNetwork(
        request,
        model,
        dataset,
      );
      const { scheme } = request;
      const indices = exampleIndices(request.examples, dataset);
      const task: GradientCheckTask = {
        architecture,
        activation,
        standardization,
        parameters,
        initialization: request.network?.init ?? 'uniform-fan-in',
        examples: dataset.train,
        indices,
        scheme,
        stepSize: request.stepSize,
        tolerance: request.tolerance,
        coordinates:
          request.coordinates ??
          affordableCoordinates(architecture, indices.length, scheme, DEFAULT_SAMPLE, MAX_COST),
        seed: request.seed,
        output,
      };
      assertAffordable(task, request.model === undefined ? '#/network/hidden' : '#/model');
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

/** The requested data set, or the one that the model was trained on, or the default. */
function resolveDataset(
  { dataset }: GradientCheckRequest,
  model: LoadedModel | null,
  catalog: Catalog,
): Promise<Dataset> {
  const trainedOn = dataset === undefined ? model?.datasetId : null;
  const id = dataset ?? trainedOn ?? DEFAULT_DATASET;
  return findDataset(
    catalog,
    id,
    '#/dataset',
    model && trainedOn
      ? `The training data set ${id} of ${model.reference.name} no longer exists`
      : undefined,
  );
}

function resolveNetwork(
  { network }: GradientCheckRequest,
  model: LoadedModel | null,
  dataset: Dataset,
): Network & { readonly parameters: Parameters | null } {
  if (model === null) {
    const layers = network ?? networkSchema.parse({});
    assertNoConflicts(findNetworkConflicts(layers, dataset));
    const { activation } = layers;
    const architecture = architectureFor(layers, dataset);
    return { architecture, activation, standardization: null, parameters: null };
  }
  const { reference, architecture, classNames } = model;
  const { inputShape } = architecture;
  assertFitsModel(dataset, reference.name, { inputShape, classNames }, { pointer: '#/dataset' });
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
      `Training image ${indices[wrong]} does not exist; data set ${dataset.id} has images 0 to ${count - 1}.`,
      { details: [{ pointer, detail: `must be at most ${count - 1}` }] },
    );
  }
  return Uint32Array.from(indices);
}

function assertAffordable(task: GradientCheckTask, networkPointer: string): void {
  const { architecture, indices, scheme, coordinates } = task;
  const parameters = parameterCount(architecture);
  if (parameters > MAX_PARAMETERS) {
    const detail = `must have at most ${formatCount(MAX_PARAMETERS)} parameters`;
    throw tooCostly(
      `A ${architectureText(architecture)} network has ${formatCount(parameters)} parameters; a network to check ${detail}`,
      [{ pointer: networkPointer, detail }],
    );
  }
  if (task.output !== 'report' && parameters > MAX_NUMBERS) {
    const detail = `must be application/json for more than ${formatCount(MAX_NUMBERS)} numbers`;
    throw tooCostly(`The gradient has ${formatCount(parameters)} numbers; Accept ${detail}`, [
      { parameter: 'Accept', detail },
    ]);
  }
  const checked = coordinates === 'all' ? parameters : coordinates.sample;
  const cost = (sampled: number) => gradientCheckCost(architecture, indices.length, scheme, sampled);
  const times = `This check takes ${(cost(checked) / MAX_COST).toFixed(1)} times the limit per request`;
  const choose = (examples: number) =>
    affordableCoordinates(architecture, examples, scheme, DEFAULT_SAMPLE, MAX_COST);
  const least = choose(1);
  if (least !== 'all' && gradientCheckCost(architecture, 1, scheme, least.sample) > MAX_COST) {
    const detail = 'must be a smaller network, which is checked on one image within the limit';
    throw tooCostly(`${times}. A network with convolutions ${detail}`, [{ pointer: networkPointer, detail }]);
  }
  if (cost(0) > MAX_COST) {
    const allowed = Math.floor((indices.length * MAX_COST) / cost(0));
    const detail = `must be at most ${allowed} for this network, and fewer if more coordinates are checked`;
    throw tooCostly(`${times}. Examples ${detail}`, [{ pointer: '#/examples', detail }]);
  }
  if (cost(checked) > MAX_COST) {
    const fitting = choose(indices.length);
    const sample = fitting === 'all' ? 1000 : fitting.sample;
    const advice = `Check a sample, such as "coordinates": { "sample": ${sample} }, or fewer examples`;
    throw tooCostly(`${times}. ${advice}`, [
      { pointer: '#/coordinates', detail: 'must be a sample, or a smaller one' },
    ]);
  }
}

const formatCount = (count: number) => count.toLocaleString('en');

function tooCostly(message: string, details: readonly ErrorDetail[]): AtelierError {
  return new AtelierError('check-too-costly', `${message}.`, { details });
}
