/** Shows models, and finds the version that a prediction or a check refers to, with its parameters in memory. */
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
  /** The newest version where none is given. @throws AtelierError `model-not-found` */
  load(name: string, version?: number): Promise<LoadedModel>;
  /** To be told of each version that is published: what is newest is remembered. */
  published(version: Pick<ModelVersion, 'name' | 'version'>): void;
}

export function createModelService({ models, blobs }: Pick<Store, 'models' | 'blobs'>): ModelService {
  const newest = new Map<string, number>();
  const loaded = new Map<string, Promise<LoadedModel>>();

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
    const { name, layerSizes, classNames } = found;
    return {
      reference: { name, version: found.version },
      layerSizes,
      parameters,
      classNames,
      forward: createForward(layerSizes, parameters),
    };
  }

  function remember(key: string, model: Promise<LoadedModel>): Promise<LoadedModel> {
    loaded.delete(key);
    loaded.set(key, model);
    if (loaded.size > MAX_LOADED) loaded.delete(loaded.keys().next().value!);
    model.catch(() => loaded.delete(key));
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
    async load(name, number = newest.get(name)) {
      const key = `${name}@${number}`;
      const known = loaded.get(key);
      if (known) return remember(key, known);
      const found = await version(name, number);
      newest.set(name, Math.max(found.version, newest.get(name) ?? (await version(name)).version));
      return remember(`${name}@${found.version}`, readParameters(found));
    },
    published({ name, version: number }) {
      newest.set(name, number);
    },
  };
}
