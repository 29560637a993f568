/** Checks the gradient of a new or trained network in a worker thread. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Catalog } from '../../datasets/catalog.ts';
import {
  DEFAULT_CHECK_EXAMPLES,
  type GradientCheck,
  type GradientCheckEvent,
  type GradientCheckRequest,
} from '../../domain/checks/gradient.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import { networkSchema } from '../../domain/jobs/request.ts';
import { parseModelReference } from '../../domain/models/reference.ts';
import { findNetworkConflicts } from '../../domain/training/conflicts.ts';
import { AtelierError, type ErrorDetail } from '../../errors.ts';
import { affordableCoordinates, comparisonCost, gradientCheckCost } from '../../numerics/checks/cost.ts';
import { architectureText, parameterCount } from '../../numerics/network/architecture.ts';
import { coordinateCount } from '../../numerics/network/coordinates.ts';
import type { Network, Parameters } from '../../numerics/network/layers.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { GradientCheckTask } from '../../workers/tasks/gradient-check.ts';
import { serializeError } from '../../workers/threads/errors.ts';
import { assertFitsModel, findDataset } from '../datasets/find.ts';
import { layersPointer } from '../memory/limits.ts';
import { loadNamed, type ModelService } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import { architectureFor } from '../training/plan.ts';
import { assertNoConflicts } from '../training/resolve-request.ts';

const DEFAULT_DATASET = 'fashion-mnist';
/** Limit in multiply-adds: a few seconds of the reference engine. */
export const MAX_COST = 4e9;
/** Limit of a check whose progress is streamed: half an hour to an hour. */
export const MAX_STREAMED_COST = 500 * MAX_COST;
const PROGRESS_MS = 1000;
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
  { numeric, background }: { readonly numeric: NumericPool; readonly background: NumericPool },
  onChecked: (passed: boolean) => void = () => {},
) {
  async function buildTask(
    request: GradientCheckRequest,
    output: GradientCheckTask['output'],
    submitted: Uint8Array | null,
    limit: number,
  ): Promise<GradientCheckTask> {
    const model = await resolveModel(request, models);
    const dataset = await resolveDataset(request, model, catalog);
    const { architecture, activation, standardization, parameters } = resolveNetwork(request, model, dataset);
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
        affordableCoordinates(
          architecture,
          indices.length,
          scheme,
          DEFAULT_SAMPLE,
          MAX_COST - comparedCost({ architecture, submitted }, indices.length),
        ),
      seed: request.seed,
      output,
      submitted,
      progress: new Int32Array(new SharedArrayBuffer(4)),
    };
    assertAffordable(task, limit, request.model === undefined ? layersPointer(architecture) : '#/model');
    return task;
  }

  async function run(pool: NumericPool, task: GradientCheckTask, signal: AbortSignal) {
    const transfer = task.submitted === null ? [] : [task.submitted];
    const { npy, submitted, ...result } = await pool.run('checkGradient', task, signal, transfer);
    onChecked(result.passed);
    const report: GradientCheck = {
      ...result,
      blocks: result.blocks.map((block) => ({ ...block, shape: [...block.shape] })),
      ...(submitted && { submitted }),
    };
    return { report, npy };
  }

  return {
    /**
     * @param output the report only, or also a packed vector
     * @param signal aborts the check when the client disconnects
     * @param submitted the file of a gradient to compare; its buffer is transferred to the worker
     * @returns the report and, if requested, the packed vector; NaN for coordinates of a gradient outside the sample
     * @throws AtelierError `unknown-dataset`, `dataset-damaged`, `unknown-model`, `impossible-request`,
     *   `check-too-costly`, `invalid-gradient-file`, `overloaded`
     */
    async check(
      request: GradientCheckRequest,
      output: GradientCheckTask['output'],
      signal: AbortSignal,
      submitted: Uint8Array | null = null,
    ) {
      return run(numeric, await buildTask(request, output, submitted, MAX_COST), signal);
    },

    /**
     * A check of at most `MAX_STREAMED_COST`. Above `MAX_COST` it delays only others like it.
     * @param onFailed called with the error of a check that has begun
     * @param submitted as for `check`
     * @returns runs the check until its signal aborts; yields its progress every second, then its report or its error
     * @throws AtelierError as `check`, except `overloaded`
     */
    async follow(
      request: GradientCheckRequest,
      onFailed: (error: unknown) => void,
      submitted: Uint8Array | null = null,
    ) {
      const task = await buildTask(request, 'report', submitted, MAX_STREAMED_COST);
      const coordinates = countCoordinates(task);
      const pool = checkCost(task) > MAX_COST ? background : numeric;
      return async function* (signal: AbortSignal): AsyncGenerator<readonly [GradientCheckEvent]> {
        const outcome = run(pool, task, signal).then(
          ({ report }) => ({ type: 'result', data: report }) as const,
          (error) => {
            if (!signal.aborted) onFailed(error);
            const { code, message } = serializeError(error);
            return { type: 'error', data: { code, message } } as const;
          },
        );
        for (let id = 1; ; id++) {
          const end = await Promise.race([outcome, wait(PROGRESS_MS, null, { ref: false })]);
          if (signal.aborted) return;
          if (end !== null) {
            yield [{ id, ...end }];
            return;
          }
          const done = Atomics.load(task.progress, 0);
          yield [{ id, type: 'progress', data: { done, coordinates } }];
        }
      };
    },
  };
}

const countCoordinates = ({ architecture, coordinates }: GradientCheckTask): number =>
  coordinateCount(coordinates, architecture);

const comparedCost = (
  { architecture, submitted }: Pick<GradientCheckTask, 'architecture' | 'submitted'>,
  examples: number,
): number => (submitted === null ? 0 : comparisonCost(architecture, examples));

const checkCost = (task: GradientCheckTask) =>
  gradientCheckCost(task.architecture, task.indices.length, task.scheme, countCoordinates(task)) +
  comparedCost(task, task.indices.length);

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
  { network, dataset: requested }: GradientCheckRequest,
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
  const place = { pointer: '#/dataset' };
  const isDefault = requested === undefined && model.datasetId === null;
  const advice = isDefault ? 'The training data set of the model is unknown: send `dataset`.' : undefined;
  assertFitsModel(dataset, reference.name, { inputShape, classNames }, place, advice);
  return model;
}

function exampleIndices(examples: GradientCheckRequest['examples'], dataset: Dataset): Uint32Array {
  const count = dataset.train.labels.length;
  const reject = (message: string, pointer: string, most: number): never => {
    throw new AtelierError('impossible-request', message, {
      details: [{ pointer, detail: `must be at most ${most}` }],
    });
  };
  if (typeof examples === 'object') {
    const wrong = examples.findIndex((index) => index >= count);
    if (wrong >= 0) {
      const message = `Training image ${examples[wrong]} does not exist; data set ${dataset.id} has images 0 to ${count - 1}.`;
      reject(message, `#/examples/${wrong}`, count - 1);
    }
    return Uint32Array.from(examples);
  }
  const length = examples ?? Math.min(DEFAULT_CHECK_EXAMPLES, count);
  if (length > count) {
    reject(`Data set ${dataset.id} has ${count} training images, fewer than ${length}.`, '#/examples', count);
  }
  return Uint32Array.from({ length }, (_, n) => n);
}

/** @param limit in multiply-adds */
function assertAffordable(task: GradientCheckTask, limit: number, networkPointer: string): void {
  const { architecture, indices, scheme } = task;
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
  const cost = checkCost(task);
  const compared = (examples: number) => comparedCost(task, examples);
  const leastCost = gradientCheckCost(architecture, indices.length, scheme, 0) + compared(indices.length);
  const times = `This check takes ${(cost / limit).toFixed(1)} times the limit per request`;
  const choose = (examples: number) =>
    affordableCoordinates(architecture, examples, scheme, DEFAULT_SAMPLE, limit - compared(examples));
  const least = choose(1);
  if (least !== 'all' && gradientCheckCost(architecture, 1, scheme, least.sample) + compared(1) > limit) {
    throw tooCostly(`${times}. The smallest sample on one image exceeds it, too: use a smaller network`, [
      { pointer: networkPointer, detail: 'must be smaller' },
    ]);
  }
  if (leastCost > limit) {
    const allowed = Math.floor((indices.length * limit) / leastCost);
    const detail = `must be at most ${allowed} for this network, and fewer if more coordinates are checked`;
    throw tooCostly(`${times}. Examples ${detail}`, [{ pointer: '#/examples', detail }]);
  }
  if (cost > limit) {
    const fitting = choose(indices.length);
    const sample = fitting === 'all' ? 1000 : fitting.sample;
    const stream =
      cost > MAX_STREAMED_COST
        ? ''
        : '; "Accept: text/event-stream" computes all of it and streams its progress';
    const advice = `Check a sample, such as "coordinates": { "sample": ${sample} }, or fewer examples`;
    throw tooCostly(`${times}. ${advice}${stream}`, [
      { pointer: '#/coordinates', detail: 'must be a sample, or a smaller one' },
    ]);
  }
}

const formatCount = (count: number) => count.toLocaleString('en');

function tooCostly(message: string, details: readonly ErrorDetail[]): AtelierError {
  return new AtelierError('check-too-costly', `${message}.`, { details });
}
