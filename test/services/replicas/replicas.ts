/** Processes that share a PostgreSQL database, as stores and services of this process. */

import { createEventSubscriptions, type SubscribeEvents } from '../../../src/services/events/subscribe.ts';
import { createModelCache } from '../../../src/services/models/cache.ts';
import { createModelService, type ModelService } from '../../../src/services/models/catalog.ts';
import {
  createModelRegistryService,
  type ModelRegistryService,
} from '../../../src/services/models/registry.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { trained } from '../../store/fixtures.ts';
import { OFFER } from '../../store/postgres/join.ts';
import { catalogOf } from '../../support/catalog.ts';
import { addCleanup, type Scope, temporaryDirectory } from '../../support/start-service.ts';

export interface ReplicaServices {
  readonly store: Store;
  readonly models: ModelService;
  readonly registry: ModelRegistryService;
  readonly subscribe: SubscribeEvents;
}

export async function startReplica(scope: Scope, url: string): Promise<ReplicaServices> {
  const store = await openPostgresStore({ url, directory: await temporaryDirectory(scope), offer: OFFER });
  addCleanup(scope, store.close);
  const models = createModelService(store, catalogOf(), createModelCache());
  return {
    store,
    models,
    registry: createModelRegistryService(store, models, () => {}),
    subscribe: createEventSubscriptions(store),
  };
}

/** Publishes the next version of a model, with one hidden unit. @returns its number */
export async function publishVersion({ store, models }: ReplicaServices, name: string): Promise<number> {
  const layerSizes = [784, 1, 2];
  const parameters = new Float32Array(785 + 4).fill(Math.random());
  const { version } = await store.blobs.putReferenced(new Uint8Array(parameters.buffer), (digest) =>
    store.models.publish({
      ...trained,
      name,
      layerSizes,
      digest,
      metadata: {},
      imported: { source: 'safetensors', fileDigest: digest, rounded: 0, assumed: [] },
    }),
  );
  await models.invalidateEverywhere();
  return version;
}
