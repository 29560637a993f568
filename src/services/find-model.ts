/** Shows models, and finds the version that a prediction or a check refers to, with its parameters in memory. */
import { LRUCache } from 'lru-cache';
import type { Model, ModelVersion } from '../domain/model.ts';
import { AtelierError } from '../errors.ts';
import { createKernelForward, type KernelForward } from '../numerics/simd/forward.ts';
import type { Store } from '../store/store.ts';
import { kernelModule } from '../workers/kernel.ts';
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
   * The newest version where none is given; at once when it is in memory.
   * @throws AtelierError `model-not-found`
   */
  load(name: string, version?: number): LoadedModel | Promise<LoadedModel>;
  /** To be told of each version that is published: what is newest is remembered. */
  published(version: Pick<ModelVersion, 'name' | 'version'>): void;
}

export function createModelService(store: Pick<Store, 'models' | 'blobs' | 'jobs'>): ModelService {
  const { models, blobs, jobs } = store;
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
    const said = running.map((job) => `${job.id}, which publishes ${job.modelName}`).join('; ');
    const coming = said && ` A training job is running: ${said}.`;
    return `There is no model ${name}. ${known}; a training job publishes one when it succeeds.${coming}`;
  }

  async function readParameters(found: ModelVersion): Promise<LoadedModel> {
    const bytes = await blobs.get(found.digest);
    // In shared memory, so that threads see the same copy.
    const parameters = new Float32Array(new SharedArrayBuffer(bytes.byteLength));
    new Uint8Array(parameters.buffer).set(bytes);
    const { name, layerSizes, activation, standardization, classNames } = found;
    const { forward } = createKernelForward(
      kernelModule,
      layerSizes,
      activation,
      parameters,
      standardization,
    );
    return {
      reference: { name, version: found.version },
      layerSizes,
      activation,
      standardization,
      parameters,
      classNames,
      forward,
    };
  }

  async function loadFromStore(name: string, number?: number): Promise<LoadedModel> {
    const found = await version(name, number);
    const model = await readParameters(found);
    loaded.set(keyOf(name, found.version), model);
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

const keyOf = (name: string, version: number) => `${name}@${version}`;

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
    if (!(error instanceof AtelierError && error.code === 'model-not-found')) throw error;
    throw new AtelierError('unknown-model', error.message, {
      details: [{ pointer, detail: 'must be a model that there is' }],
    });
  }
}
