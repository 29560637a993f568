/** Model registry: moves aliases, annotates versions, and deletes versions and models. */
import type { Alias, AliasMove } from '../../domain/models/alias.ts';
import {
  type ModelReference,
  parseModelReference,
  type VersionName,
  type VersionReference,
} from '../../domain/models/reference.ts';
import type { Annotations, Model, ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import type { Precondition } from '../../store/database/rows.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import type { AliasState } from '../../store/models/aliases.ts';
import type { Page, Store } from '../../store/persistent-state.ts';
import { findNamed, type ModelService } from './catalog.ts';

type ModelPrecondition = Precondition<Model | ModelVersion>;

export interface ModelRegistryService {
  /** All aliases, and one page of their moves. @throws AtelierError `model-not-found` */
  aliases(
    name: string,
    query: { readonly limit: number; readonly after?: number | undefined },
  ): Promise<{ readonly aliases: Alias[]; readonly history: Page<AliasMove> }>;
  /** @throws AtelierError `model-not-found`, `alias-not-found` */
  alias(name: string, alias: string): Promise<AliasState>;
  /** @throws AtelierError `model-not-found`, `unknown-model`, and the errors of the precondition */
  readonly moveAlias: Store['aliases']['move'];
  /** @throws AtelierError `model-not-found`, `alias-not-found`, and the errors of the precondition */
  readonly removeAlias: Store['aliases']['remove'];
  /** @throws AtelierError `model-not-found`, and the errors of the precondition */
  annotate(
    name: string,
    version: VersionName,
    changes: Annotations,
    precondition?: Precondition<ModelVersion>,
  ): Promise<ModelVersion>;
  /**
   * Publishes a copy of a version as the next version of model `name`. The name may be new.
   * @throws AtelierError `unknown-model` if the version does not exist
   */
  copyVersion(
    name: string,
    from: ModelReference,
    idempotency?: IdempotencyRecord<ModelVersion>,
  ): Promise<ModelVersion>;
  /**
   * Requests that already use the version are completed.
   * @throws AtelierError `model-not-found`, `version-in-use`, and the errors of the precondition
   */
  removeVersion(name: string, version: VersionName, precondition?: ModelPrecondition): Promise<void>;
  /** Deletes a model with all its versions. @throws AtelierError as `removeVersion` */
  removeModel(name: string, precondition?: ModelPrecondition): Promise<void>;
}

/** @param onRemoved called once per deletion, with all versions that it deleted */
export function createModelRegistryService(
  store: Pick<Store, 'models' | 'aliases'>,
  models: ModelService,
  onRemoved: (deleted: readonly VersionReference[]) => void,
): ModelRegistryService {
  async function remove(name: string, version?: number, precondition?: ModelPrecondition): Promise<void> {
    const numbers = await store.models.remove(name, version, precondition);
    const deleted = numbers.map((number) => ({ name, version: number }));
    await models.invalidateEverywhere(deleted);
    onRemoved(deleted);
  }

  return {
    async aliases(name, query) {
      await models.get(name);
      const history = await store.aliases.history(name, query);
      return { aliases: await store.aliases.list(name), history };
    },

    async alias(name, alias) {
      await models.get(name);
      const found = await store.aliases.get(name, alias);
      if (found) return found;
      throw new AtelierError('alias-not-found', `Model ${name} has no alias ${alias}.`);
    },

    async moveAlias(name, ...move) {
      await models.get(name);
      const moved = await store.aliases.move(name, ...move);
      await models.invalidateEverywhere();
      return moved;
    },

    async removeAlias(name, ...removal) {
      await models.get(name);
      await store.aliases.remove(name, ...removal);
      await models.invalidateEverywhere();
    },

    async annotate(name, version, changes, precondition) {
      const found = await models.version(name, version);
      const annotated = await store.models.annotate(name, found.version, changes, precondition);
      await models.invalidateEverywhere();
      // If the version has just been deleted, `models.version` throws.
      return annotated ?? models.version(name, found.version);
    },

    async copyVersion(name, from, idempotency) {
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

    async removeVersion(name, version, precondition) {
      await remove(name, (await models.version(name, version)).version, precondition);
    },

    async removeModel(name, precondition) {
      await models.get(name);
      await remove(name, undefined, precondition);
    },
  };
}
