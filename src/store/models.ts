/** Named models and their numbered versions. */
import type { Kysely } from 'kysely';
import type { Annotations, Model, ModelVersion } from '../domain/model.ts';
import { CHAMPION, type VersionName, type VersionReference } from '../domain/model-reference.ts';
import { AtelierError } from '../errors.ts';
import { listAliases, lockModel, type Precondition } from './aliases.ts';
import { deleteVersions } from './delete-versions.ts';
import { createOnce, type IdempotencyRecord } from './idempotency.ts';
import { encode } from './json-column.ts';
import { copyVersion, type Imported, type NewVersion, publishVersion, toVersion } from './model-versions.ts';
import { type Page, toPage } from './pagination.ts';
import { promote } from './promotion.ts';
import type { RefCountedBlobs } from './ref-counted-blobs.ts';
import type { Rows } from './rows.ts';
import type { AliasRow, Database, ModelVersionRow } from './tables.ts';
import {
  ACCURACY,
  creationConditions,
  hasPrefix,
  type ModelQuery,
  type VersionQuery,
  versionConditions,
} from './version-filters.ts';

/** Limits the response to about a megabyte. */
const MAX_REFERENCES = 10_000;

export interface Models {
  get(name: string): Promise<Model | undefined>;
  /**
   * By default ordered by the creation of the first version, newest first. Publishing further versions changes no order, so
   * pages neither skip nor repeat a model. Only models with a version that the filters select.
   * @throws AtelierError `invalid-request` if no model is named `after`
   */
  list(query: ModelQuery): Promise<Page<Model>>;
  /** Names of the models, in the order of `list`. */
  names(limit: number): Promise<string[]>;
  /**
   * By default newest first. Empty for a model that does not exist.
   * @throws AtelierError `invalid-request` in the order of accuracy, if version `after` does not exist
   */
  versions(name: string, query: VersionQuery): Promise<Page<ModelVersion>>;
  /** Names and version numbers of one model or of all, ascending; the first 10,000. */
  references(name?: string): Promise<VersionReference[]>;
  /** If `version` is omitted: the champion, or the newest version if the model has no champion. */
  version(name: string, version?: VersionName): Promise<ModelVersion | undefined>;
  /** Publishes an imported version. With `idempotency`, the response is stored in the same transaction. */
  publish(
    version: NewVersion & Imported & { readonly name: string },
    idempotency?: IdempotencyRecord<ModelVersion>,
  ): Promise<ModelVersion>;
  /**
   * Publishes a copy of a version as the next one of model `name`. Returns undefined if the version does not exist. With
   * `idempotency`, the response is stored in the same transaction.
   */
  copy(
    from: VersionReference,
    name: string,
    idempotency?: IdempotencyRecord<ModelVersion>,
  ): Promise<ModelVersion | undefined>;
  /** Omitted fields keep their values. Returns undefined if the version does not exist. */
  annotate(
    name: string,
    version: number,
    changes: Annotations,
    precondition?: Precondition<ModelVersion>,
  ): Promise<ModelVersion | undefined>;
  /**
   * Deletes one version or all, and parameters that no other version has. Version numbers are not reused.
   * @param precondition called with the version, or with the model if all versions are deleted
   * @returns the deleted version numbers
   * @throws AtelierError `model-not-found`; `version-in-use` while an alias points at one of them, or an unfinished
   *   job starts from one
   */
  remove(
    name: string,
    version?: number,
    precondition?: Precondition<Model | ModelVersion>,
  ): Promise<number[]>;
}

/** Rolls a transaction back. */
class NotFound extends Error {}

export function createModels(
  { db, inTransaction, withReserve }: Rows,
  blobs: Pick<RefCountedBlobs, 'release'>,
): Models {
  function inOrder(sort: NonNullable<ModelQuery['sort']>) {
    const direction = sort.startsWith('-') ? 'desc' : 'asc';
    const all = selectModels(db);
    const ordered = sort.endsWith('name') ? all : all.orderBy('models.created_at', direction);
    return ordered.orderBy('models.name', direction);
  }

  return {
    get: (name) => findModel(db, name),

    async list({ limit, after, sort = '-createdAt', namePrefix, ...filter }) {
      let query = inOrder(sort).limit(limit + 1);
      const next = sort.startsWith('-') ? '<' : '>';
      if (after !== undefined && sort.endsWith('name')) query = query.where('models.name', next, after);
      else if (after !== undefined) {
        const createdAt = await creationTime(after);
        query = query.where((eb) =>
          eb.or([
            eb('models.created_at', next, createdAt),
            eb.and([eb('models.created_at', '=', createdAt), eb('models.name', next, after)]),
          ]),
        );
      }
      if (namePrefix !== undefined) query = query.where(hasPrefix('models.name', namePrefix));
      for (const condition of creationConditions(filter, 'models.created_at')) query = query.where(condition);
      const conditions = versionConditions(filter);
      if (conditions.length > 0) {
        let selected = db.selectFrom('model_versions').select('name');
        for (const condition of conditions) selected = selected.where(condition);
        query = query.where('models.name', 'in', selected);
      }
      const page = toPage(await query.execute(), limit, (row) => row);
      const names = page.data.map(({ name }) => name);
      const aliases = Map.groupBy(await listAliases(db, names), ({ name }) => name);
      return { ...page, data: page.data.map((row) => toModel(row, aliases.get(row.name) ?? [])) };
    },

    async names(limit) {
      const rows = await inOrder('-createdAt').clearSelect().select('models.name').limit(limit).execute();
      return rows.map(({ name }) => name);
    },

    async versions(name, { limit, after, sort = '-version', ...filter }) {
      let query = db.selectFrom('model_versions').selectAll().where('name', '=', name);
      for (const condition of versionConditions(filter)) query = query.where(condition);
      for (const condition of creationConditions(filter, 'created_at')) query = query.where(condition);
      const [direction, next] = sort.startsWith('-') ? (['desc', '<'] as const) : (['asc', '>'] as const);
      if (sort === '-testAccuracy') {
        if (after !== undefined) {
          const accuracy = await accuracyOf(name, after);
          query = query.where((eb) =>
            eb.or([
              eb(ACCURACY, next, accuracy),
              eb.and([eb(ACCURACY, '=', accuracy), eb('version', next, after)]),
            ]),
          );
        }
        query = query.orderBy(ACCURACY, direction);
      } else if (after !== undefined) query = query.where('version', next, after);
      const rows = await query
        .orderBy('version', direction)
        .limit(limit + 1)
        .execute();
      const numbers = rows.map(({ version }) => version);
      const aliases = Map.groupBy(await listAliases(db, [name], numbers), ({ version }) => version);
      return toPage(rows, limit, (row) => toVersion(row, toAliasNames(aliases.get(row.version))));
    },

    references(name) {
      const all = db
        .selectFrom('model_versions')
        .select(['name', 'version'])
        .orderBy('name')
        .orderBy('version');
      return (name === undefined ? all : all.where('name', '=', name)).limit(MAX_REFERENCES).execute();
    },

    async version(name, version) {
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

    publish: ({ imported, metadata, ...version }, idempotency) =>
      inTransaction((trx) =>
        createOnce(trx, idempotency, async () => {
          const published = await publishVersion(trx, { ...version, jobId: null }, { imported, metadata });
          await promote(trx, published);
          return (await findVersion(trx, version.name, published.version))!;
        }),
      ),

    async copy(from, name, idempotency) {
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

    annotate: (name, version, { description, metadata, tags }, precondition) =>
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

    async remove(name, version, precondition) {
      const deleted = await withReserve(() =>
        inTransaction((trx) =>
          deleteVersions(trx, name, version, async () => {
            if (!precondition) return;
            const stored =
              version === undefined ? await findModel(trx, name) : await findVersion(trx, name, version);
            if (stored) precondition(stored);
          }),
        ),
      );
      await blobs.release(deleted.map(({ digest }) => digest));
      return deleted.map((row) => row.version);
    },
  };

  async function accuracyOf(name: string, after: number): Promise<number> {
    const row = await db
      .selectFrom('model_versions')
      .select(ACCURACY.as('accuracy'))
      .where('name', '=', name)
      .where('version', '=', after)
      .executeTakeFirst();
    if (row !== undefined) return row.accuracy;
    throw new AtelierError(
      'invalid-request',
      `The list by accuracy cannot continue after version ${after} of model ${name}, because it does not exist.`,
      { details: [{ parameter: 'after', detail: 'must be the number of an existing version' }] },
    );
  }

  async function creationTime(after: string): Promise<string> {
    const row = await db
      .selectFrom('models')
      .select('created_at')
      .where('name', '=', after)
      .executeTakeFirst();
    if (row !== undefined) return row.created_at;
    throw new AtelierError(
      'invalid-request',
      `The list cannot continue after "${after}", because no model has that name.`,
      {
        details: [{ parameter: 'after', detail: 'must be the name of an existing model' }],
      },
    );
  }
}

/** Every model with its newest version. */
function selectModels(db: Kysely<Database>) {
  return db
    .selectFrom('models')
    .innerJoin('model_versions as latest', 'latest.name', 'models.name')
    .where('latest.version', '=', (eb) =>
      eb
        .selectFrom('model_versions as other')
        .whereRef('other.name', '=', 'models.name')
        .select(({ fn }) => fn.max('other.version').as('version')),
    )
    .selectAll('latest')
    .select((eb) => [
      'models.created_at as model_created_at',
      eb
        .selectFrom('model_versions as counted')
        .whereRef('counted.name', '=', 'models.name')
        .select(({ fn }) => fn.countAll().as('count'))
        .as('versions'),
    ]);
}

async function findModel(db: Kysely<Database>, name: string): Promise<Model | undefined> {
  const row = await selectModels(db).where('models.name', '=', name).executeTakeFirst();
  return row && toModel(row, await listAliases(db, [name]));
}

async function findVersion(
  db: Kysely<Database>,
  name: string,
  version: number,
): Promise<ModelVersion | undefined> {
  const row = await db
    .selectFrom('model_versions')
    .selectAll()
    .where('name', '=', name)
    .where('version', '=', version)
    .executeTakeFirst();
  return row && withAliases(db, row);
}

async function withAliases(db: Kysely<Database>, row: ModelVersionRow): Promise<ModelVersion> {
  return toVersion(row, toAliasNames(await listAliases(db, [row.name], [row.version])));
}

const toAliasNames = (rows: readonly AliasRow[] = []) => rows.map(({ alias }) => alias);

function toModel(
  row: ModelVersionRow & { model_created_at: string; versions: unknown },
  aliases: readonly AliasRow[],
): Model {
  return {
    name: row.name,
    createdAt: row.model_created_at,
    // PostgreSQL returns counts as text.
    versions: Number(row.versions),
    aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])),
    latest: toVersion(row, toAliasNames(aliases.filter(({ version }) => version === row.version))),
  };
}
