/** Model registry: moves aliases, annotates versions, and deletes versions and models. */
import {
  type ModelReference,
  parseModelReference,
  type VersionName,
  type VersionReference,
} from '../../domain/models/reference.ts';
import type { Annotations, Model, ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import type { NumberedQuery } from '../../store/database/pagination.ts';
import type { Precondition } from '../../store/database/rows.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import type { Store } from '../../store/persistent-state.ts';
import { findNamed, type ModelService } from './catalog.ts';

type ModelPrecondition = Precondition<Model | ModelVersion>;

export type ModelRegistryService = ReturnType<typeof createModelRegistryService>;

/** @param onRemoved called once per deletion, with all versions that it deleted */
export function createModelRegistryService(
  store: Pick<Store, 'models' | 'aliases'>,
  models: ModelService,
  onRemoved: (deleted: readonly VersionReference[]) => void,
) {
  async function remove(name: string, version?: number, precondition?: ModelPrecondition): Promise<void> {
    const numbers = await store.models.remove(name, version, precondition);
    const deleted = numbers.map((number) => ({ name, version: number }));
    await models.invalidateEverywhere(deleted);
    onRemoved(deleted);
  }

  return {
    /** All aliases, and one page of their moves. @throws AtelierError `model-not-found` */
    async aliases(name: string, query: NumberedQuery) {
      await models.get(name);
      const history = await store.aliases.history(name, query);
      return { aliases: await store.aliases.list(name), history };
    },

    /** @throws AtelierError `model-not-found`, `alias-not-found` */
    async alias(name: string, alias: string) {
      await models.get(name);
      const found = await store.aliases.get(name, alias);
      if (found) return found;
      throw new AtelierError('alias-not-found', `Model ${name} has no alias ${alias}.`);
    },

    /** @throws AtelierError `model-not-found`, `unknown-model`, and the errors of the precondition */
    async moveAlias(...move: Parameters<Store['aliases']['move']>) {
      await models.get(move[0]);
      const moved = await store.aliases.move(...move);
      await models.invalidateEverywhere();
      return moved;
    },

    /** @throws AtelierError `model-not-found`, `alias-not-found`, and the errors of the precondition */
    async removeAlias(...removal: Parameters<Store['aliases']['remove']>) {
      await models.get(removal[0]);
      await store.aliases.remove(...removal);
      await models.invalidateEverywhere();
    },

    /** @throws AtelierError `model-not-found`, and the errors of the precondition */
    async annotate(
      name: string,
      version: VersionName,
      changes: Annotations,
      precondition?: Precondition<ModelVersion>,
    ) {
      const found = await models.version(name, version);
      const annotated = await store.models.annotate(name, found.version, changes, precondition);
      await models.invalidateEverywhere();
      // If the version has just been deleted, `models.version` throws.
      return annotated ?? models.version(name, found.version);
    },

    /**
     * Publishes a copy of a version as the next version of model `name`. The name may be new.
     * @throws AtelierError `unknown-model` if the version does not exist
     */
    async copyVersion(name: string, from: ModelReference, idempotency?: IdempotencyRecord<ModelVersion>) {
      const wanted = parseModelReference(from);
      const original = await findNamed({ pointer: '#/from' }, () =>
        models.version(wanted.name, wanted.version),
      );
      const reference = { name: original.name, version: original.version };
      const copied = await store.models.copy(reference, name, idempotency);
      await models.invalidateEverywhere();
      if (copied) return copied;
      throw new AtelierError(
        'unknown-model',
        `Version ${reference.version} of model ${reference.name} has just been deleted.`,
        { details: [{ pointer: '#/from', detail: 'must be an existing version' }] },
      );
    },

    /**
     * Requests that already use the version are completed.
     * @throws AtelierError `model-not-found`, `version-in-use`, and the errors of the precondition
     */
    async removeVersion(name: string, version: VersionName, precondition?: ModelPrecondition) {
      await remove(name, (await models.version(name, version)).version, precondition);
    },

    /** Deletes a model with all its versions. @throws AtelierError as `removeVersion` */
    async removeModel(name: string, precondition?: ModelPrecondition) {
      await models.get(name);
      await remove(name, undefined, precondition);
    },
  };
}
