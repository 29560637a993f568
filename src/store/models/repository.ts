/** Named models and their numbered versions. */

import type { Calibration } from '../../domain/models/calibration.ts';
import { CHAMPION, type VersionName, type VersionReference } from '../../domain/models/reference.ts';
import type { Annotations, Model, ModelVersion } from '../../domain/models/representation.ts';
import type { RefCountedBlobs } from '../blobs/ref-counted.ts';
import { encode } from '../database/json-column.ts';
import type { Precondition, Rows } from '../database/rows.ts';
import { createOnce, type IdempotencyRecord } from '../idempotency.ts';
import { lockModel } from './aliases.ts';
import { deleteVersions } from './delete.ts';
import type { ModelQuery, VersionQuery } from './filters.ts';
import { countLook, type Look } from './looks.ts';
import { listModels, listNames, listVersions } from './pages.ts';
import { promote } from './promotion.ts';
import { findModel, findVersion, withAliases } from './rows.ts';
import { copyVersion, type Imported, type NewVersion, publishVersion } from './versions.ts';

/** Limits the response to about a megabyte. */
const MAX_REFERENCES = 10_000;

/** Rolls a transaction back. */
class NotFound extends Error {}

export function createModels(
  { db, inTransaction, inReservedTransaction }: Rows,
  blobs: Pick<RefCountedBlobs, 'release' | 'putReferenced'>,
) {
  return {
    get: (name: string) => findModel(db, name),

    /**
     * By default ordered by the creation of the first version, newest first. Publishing further versions changes no order, so
     * pages neither skip nor repeat a model. Only models with a version that the filters select.
     * @throws AtelierError `invalid-request` if no model is named `after`
     */
    list: (query: ModelQuery) => listModels(db, query),

    /** Names of the models, in the order of `list`. */
    names: (limit: number) => listNames(db, limit),

    /**
     * By default newest first. Empty for a model that does not exist.
     * @throws AtelierError `invalid-request` in the order of accuracy, if version `after` does not exist
     */
    versions: (name: string, query: VersionQuery) => listVersions(db, name, query),

    /** Names and version numbers of one model or of all, ascending; the first 10,000. */
    references(name?: string) {
      const all = db
        .selectFrom('model_versions')
        .select(['name', 'version'])
        .orderBy('name')
        .orderBy('version');
      return (name === undefined ? all : all.where('name', '=', name)).limit(MAX_REFERENCES).execute();
    },

    /** If `version` is omitted: the champion, or the newest version if the model has no champion. */
    async version(name: string, version?: VersionName) {
      const row = await db
        .selectFrom('model_versions')
        .selectAll()
        .where('name', '=', name)
        // In one statement, so the version cannot be deleted after the alias is resolved.
        .where('version', '=', (eb) => {
          if (typeof version === 'number') return eb.val(version);
          const pointedAt = eb
            .selectFrom('aliases')
            .select('aliases.version')
            .where('aliases.name', '=', name)
            .where('aliases.alias', '=', version ?? CHAMPION);
          if (version !== undefined) return pointedAt;
          const newest = eb
            .selectFrom('model_versions as other')
            .select(({ fn }) => fn.max('other.version').as('version'))
            .where('other.name', '=', name);
          return eb.fn.coalesce(pointedAt, newest);
        })
        .executeTakeFirst();
      return row && withAliases(db, row);
    },

    /** Publishes an imported version. With `idempotency`, the response is stored in the same transaction. */
    publish: (
      { imported, metadata, caller, ...version }: NewVersion & Imported & { readonly name: string },
      idempotency?: IdempotencyRecord<ModelVersion>,
    ) =>
      inTransaction((trx) =>
        createOnce(trx, idempotency, async () => {
          const published = await publishVersion(
            trx,
            { ...version, jobId: null },
            { imported, metadata, caller },
          );
          await promote(trx, published);
          return (await findVersion(trx, version.name, published.version))!;
        }),
      ),

    /**
     * Publishes a copy of a version as the next one of model `name`. Returns undefined if the version does not exist. With
     * `idempotency`, the response is stored in the same transaction.
     */
    async copy(from: VersionReference, name: string, idempotency?: IdempotencyRecord<ModelVersion>) {
      try {
        return await inTransaction((trx) =>
          createOnce(trx, idempotency, async () => {
            const published = await copyVersion(trx, from, name);
            if (published === undefined) throw new NotFound();
            await promote(trx, published);
            return (await findVersion(trx, name, published.version))!;
          }),
        );
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },

    /** Omitted fields keep their values. Returns undefined if the version does not exist. */
    annotate: (
      name: string,
      version: number,
      { description, metadata, tags }: Annotations,
      precondition?: Precondition<ModelVersion>,
    ) =>
      inTransaction(async (trx) => {
        // A deletion with a precondition must not miss the change.
        await lockModel(trx, name);
        if (precondition) {
          const stored = await findVersion(trx, name, version);
          if (stored) precondition(stored);
        }
        const row = await trx
          .updateTable('model_versions')
          // Omitted columns are set to themselves, because an update without columns is invalid.
          .set((eb) => ({
            description: description === undefined ? eb.ref('description') : description,
            metadata: metadata === undefined ? eb.ref('metadata') : encode(metadata),
            tags: tags === undefined ? eb.ref('tags') : encode([...new Set(tags)]),
          }))
          .where('name', '=', name)
          .where('version', '=', version)
          .returningAll()
          .executeTakeFirst();
        return row && withAliases(trx, row);
      }),

    /**
     * Stores the calibration of a version in place of an earlier one.
     * @param file its arrays
     * @param look counted in the same transaction, if test images are used
     * @returns undefined if the version does not exist, or has other parameters by now
     * @throws AtelierError `storage-full`, `storage-unavailable`
     */
    async calibrate(
      { name, version, digest: parameters }: Pick<ModelVersion, 'name' | 'version' | 'digest'>,
      calibration: Omit<Calibration, 'digest'>,
      file: Uint8Array,
      look?: Look,
    ) {
      const write = (digest: string) =>
        inTransaction(async (trx) => {
          await lockModel(trx, name);
          const selected = { name, version, digest: parameters };
          const before = await trx
            .selectFrom('model_versions')
            .select('calibration_digest')
            .where((eb) => eb.and(selected))
            .executeTakeFirst();
          if (before === undefined) throw new NotFound();
          if (look) await countLook(trx, look);
          const row = await trx
            .updateTable('model_versions')
            .set({ calibration: encode({ ...calibration, digest }), calibration_digest: digest })
            .where((eb) => eb.and(selected))
            .returningAll()
            .executeTakeFirstOrThrow();
          return { version: await withAliases(trx, row), replaced: before.calibration_digest };
        });
      try {
        const { version: calibrated, replaced } = await blobs.putReferenced(file, write);
        if (replaced !== null) await blobs.release([replaced]);
        return calibrated;
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },

    /**
     * Deletes one version or all, and parameters that no other version has. Version numbers are not reused.
     * @param precondition called with the version, or with the model if all versions are deleted
     * @returns the deleted version numbers
     * @throws AtelierError `model-not-found`; `version-in-use` while an alias points at one of them, or an unfinished
     *   job starts from one
     */
    async remove(name: string, version?: number, precondition?: Precondition<Model | ModelVersion>) {
      const deleted = await inReservedTransaction((trx) =>
        deleteVersions(trx, name, version, async () => {
          if (!precondition) return;
          const stored =
            version === undefined ? await findModel(trx, name) : await findVersion(trx, name, version);
          if (stored) precondition(stored);
        }),
      );
      await blobs.release(
        deleted.flatMap(({ digest, calibration_digest: calibration }) =>
          calibration === null ? [digest] : [digest, calibration],
        ),
      );
      return deleted.map((row) => row.version);
    },
  };
}
