/** Shows models, and finds the version that a prediction or a check refers to, with its parameters in memory. */
import { LRUCache } from 'lru-cache';
import type { Model, ModelVersion } from '../domain/model.ts';
import { AtelierError } from '../errors.ts';
import { createForward, type Forward } from '../numerics/forward.ts';
import type { Store } from '../store/store.ts';
import type { ServedNetwork } from '../workers/messages.ts';

/** Versions whose parameters stay in memory; the one that was not used for the longest time goes first. */
const MAX_LOADED = 32;

export interface LoadedModel extends ServedNetwork {
  readonly forward: Forward;
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

export function createModelService({ models, blobs }: Pick<Store, 'models' | 'blobs'>): ModelService {
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
    return `There is no model ${name}. ${known}; a training job publishes one when it succeeds.`;
  }

  async function readParameters(found: ModelVersion): Promise<LoadedModel> {
    const bytes = await blobs.get(found.digest);
    // In shared memory, so that threads see the same copy.
    const parameters = new Float32Array(new SharedArrayBuffer(bytes.byteLength));
    new Uint8Array(parameters.buffer).set(bytes);
    const { name, layerSizes, activation, classNames } = found;
    const network = { layerSizes, activation, standardization: null };
    return {
      ...network,
      reference: { name, version: found.version },
      parameters,
      classNames,
      forward: createForward(network, parameters),
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
