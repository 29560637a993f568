/** Shows models, and finds the version that a prediction or a check refers to, with its parameters in memory. */
import { LRUCache } from 'lru-cache';
import type { Catalog } from '../datasets/catalog.ts';
import type { CheckpointRecord } from '../domain/checkpoint.ts';
import { isJobId, type Model, type ModelVersion } from '../domain/model.ts';
import { AtelierError, type ErrorCode } from '../errors.ts';
import type { Parameters } from '../numerics/network.ts';
import type { KernelForward } from '../numerics/simd/forward.ts';
import { decodeCheckpoint } from '../store/checkpoint-format.ts';
import type { Store } from '../store/store.ts';
import { forwardOf } from '../workers/kernel.ts';
import type { ServedNetwork } from '../workers/messages.ts';

/** Versions whose parameters stay in memory; the one that was not used for the longest time goes first. */
const MAX_LOADED = 32;

export interface LoadedModel extends ServedNetwork {
  readonly forward: KernelForward['forward'];
}

export interface ModelService {
  /** @throws AtelierError `model-not-found` */
  get(name: string): Promise<Model>;
  readonly list: Store['models']['list'];
  /** @throws AtelierError `model-not-found` */
  readonly versions: Store['models']['versions'];
  /** @throws AtelierError `model-not-found` */
  version(name: string, version?: number): Promise<ModelVersion>;
  /**
   * The newest version where none is given; at once when it is in memory. The id of a training job and a number of steps
   * are its checkpoint.
   * @throws AtelierError `model-not-found`, `checkpoint-not-found`
   */
  load(name: string, version?: number): LoadedModel | Promise<LoadedModel>;
  /** To be told of each version that is published: what is newest is remembered. */
  published(version: Pick<ModelVersion, 'name' | 'version'>): void;
}

export function createModelService(
  store: Pick<Store, 'models' | 'blobs' | 'jobs' | 'checkpoints'>,
  catalog: Catalog,
): ModelService {
  const { models, blobs, jobs, checkpoints } = store;
  const newest = new Map<string, number>();
  const loaded = new LRUCache<string, LoadedModel>({ max: MAX_LOADED });

  async function version(name: string, number?: number): Promise<ModelVersion> {
    const found = await models.version(name, number);
    if (found) return found;
    throw new AtelierError('model-not-found', await describeMissing(name, number));
  }

  async function describeMissing(name: string, number?: number): Promise<string> {
    const model = await models.get(name);
    if (model) return `Model ${name} has no version ${number}; its newest is ${model.latest.version}.`;
    const { data } = await models.list({ limit: 10 });
    const known = data.length > 0 ? `There are: ${data.map((m) => m.name).join(', ')}` : 'There are none yet';
    const { data: running } = await jobs.list({ limit: 10, status: 'running' });
    const publishing = running.filter((job) => job.verification === null);
    const said = publishing.map((job) => `${job.id}, which publishes ${job.modelName}`).join('; ');
    const coming = said && ` A training job is running: ${said}.`;
    return `There is no model ${name}. ${known}; a training job publishes one when it succeeds.${coming}`;
  }

  async function readVersion(found: ModelVersion): Promise<ServedNetwork> {
    const bytes = await blobs.get(found.digest);
    const { name, layerSizes, activation, standardization, classNames } = found;
    return {
      reference: { name, version: found.version },
      layerSizes,
      activation,
      standardization,
      parameters: shared(new Float32Array(bytes.buffer)),
      classNames,
    };
  }

  /** @throws AtelierError `checkpoint-not-found` */
  async function readCheckpoint(jobId: string, step: number): Promise<ServedNetwork> {
    const job = await jobs.get(jobId);
    const all = job ? await checkpoints.list(jobId) : [];
    const found = all.find((checkpoint) => checkpoint.step === step);
    if (!job || !found)
      throw new AtelierError('checkpoint-not-found', describeNoCheckpoint(jobId, step, all));
    const { snapshot, layerSizes, activation, standardization } = decodeCheckpoint(
      await checkpoints.read(found),
    );
    return {
      reference: { name: jobId, version: step },
      layerSizes,
      activation,
      standardization,
      parameters: shared(snapshot.engine.parameters),
      // A data set may be deleted once its jobs have ended.
      classNames:
        catalog.summary(job.dataset)?.classNames ??
        Array.from({ length: layerSizes.at(-1)! }, (_, label) => `${label}`),
    };
  }

  async function loadFromStore(name: string, number?: number): Promise<LoadedModel> {
    const found = isJobId(name) ? null : await version(name, number);
    const network = found ? await readVersion(found) : await readCheckpoint(name, number!);
    const model = { ...network, forward: forwardOf(network) };
    loaded.set(keyOf(name, model.reference.version), model);
    if (found === null) return model;
    // A version may have been published while this one was read.
    if (number === undefined) newest.set(name, Math.max(found.version, newest.get(name) ?? 0));
    return model;
  }

  return {
    list: models.list,
    version,
    async get(name) {
      const model = await models.get(name);
      if (!model) throw new AtelierError('model-not-found', await describeMissing(name));
      return model;
    },
    async versions(name, query) {
      await version(name);
      return models.versions(name, query);
    },
    load(name, number) {
      const wanted = number ?? newest.get(name);
      const known = wanted === undefined ? undefined : loaded.get(keyOf(name, wanted));
      return known ?? loadFromStore(name, wanted);
    },
    published({ name, version: number }) {
      newest.set(name, number);
    },
  };
}

/** In shared memory, so that threads see the same copy. */
function shared(parameters: Parameters): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(4 * parameters.length));
  copy.set(parameters);
  return copy;
}

function describeNoCheckpoint(jobId: string, step: number, all: readonly CheckpointRecord[]): string {
  const steps = all.map((checkpoint) => checkpoint.step).join(', ') || 'none';
  return `Training job ${jobId} has no checkpoint of step ${step}; it has: ${steps}. Older ones make way for newer ones.`;
}

const keyOf = (name: string, version: number) => `${name}@${version}`;

const NOT_FOUND = new Set<ErrorCode>(['model-not-found', 'checkpoint-not-found']);

/**
 * A name in a body is not a path: what is not there is a 422, not a 404.
 * @throws AtelierError `unknown-model`
 */
export async function loadNamed(
  models: ModelService,
  pointer: string,
  name: string,
  version?: number,
): Promise<LoadedModel> {
  try {
    return await models.load(name, version);
  } catch (error) {
    if (!(error instanceof AtelierError) || !NOT_FOUND.has(error.code)) throw error;
    throw new AtelierError('unknown-model', error.message, {
      details: [{ pointer, detail: 'must be a model that there is' }],
    });
  }
}
