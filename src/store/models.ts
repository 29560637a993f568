/** Named models and their numbered versions. */
import { type Kysely, sql } from 'kysely';
import type { Annotations, Model, ModelVersion } from '../domain/model.ts';
import { CHAMPION, type VersionName, type VersionReference } from '../domain/model-reference.ts';
import { AtelierError } from '../errors.ts';
import { listAliases, lockModel, type Precondition } from './aliases.ts';
import { deleteVersions } from './delete-versions.ts';
import { createOnce, type IdempotencyRecord } from './idempotency.ts';
import { encode } from './json-column.ts';
import { type Imported, type NewVersion, publishVersion, toVersion } from './model-versions.ts';
import { type Page, toPage } from './pagination.ts';
import type { RefCountedBlobs } from './ref-counted-blobs.ts';
import type { Rows } from './rows.ts';
import type { AliasRow, Database, ModelVersionRow } from './tables.ts';

/** Limits the response to about a megabyte. */
const MAX_REFERENCES = 10_000;

export interface Models {
  get(name: string): Promise<Model | undefined>;
  /**
   * Ordered by the creation of the first version, newest first. Publishing further versions does not change the order, so
   * pages neither skip nor repeat a model. With `tag`, only models with a version that has the tag.
   * @throws AtelierError `invalid-request` if no model is named `after`
   */
  list(query: {
    readonly limit: number;
    readonly after?: string | undefined;
    readonly tag?: string | undefined;
  }): Promise<Page<Model>>;
  /** Names of the models, in the order of `list`. */
  names(limit: number): Promise<string[]>;
  /** Newest first; `after` is a version number, exclusive. Empty for a model that does not exist. */
  versions(
    name: string,
    query: {
      readonly limit: number;
      readonly after?: number | undefined;
      readonly tag?: string | undefined;
    },
  ): Promise<Page<ModelVersion>>;
  /** Names and version numbers of one model or of all, ascending; the first 10,000. */
  references(name?: string): Promise<VersionReference[]>;
  /** If `version` is omitted: the champion, or the newest version if the model has no champion. */
  version(name: string, version?: VersionName): Promise<ModelVersion | undefined>;
  /** Publishes an imported version. With `idempotency`, the response is stored in the same transaction. */
  publish(
    version: NewVersion & Imported & { readonly name: string },
    idempotency?: IdempotencyRecord<ModelVersion>,
  ): Promise<ModelVersion>;
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

export function createModels(
  { db, inTransaction, withReserve }: Rows,
  blobs: Pick<RefCountedBlobs, 'release'>,
): Models {
  const newestFirst = selectModels(db).orderBy('models.created_at', 'desc').orderBy('models.name', 'desc');

  return {
    get: (name) => findModel(db, name),

    async list({ limit, after, tag }) {
      let query = newestFirst.limit(limit + 1);
      if (after !== undefined) {
        const createdAt = await creationTime(after);
        query = query.where((eb) =>
          eb.or([
            eb('models.created_at', '<', createdAt),
            eb.and([eb('models.created_at', '=', createdAt), eb('models.name', '<', after)]),
          ]),
        );
      }
      if (tag !== undefined) {
        const tagged = db.selectFrom('model_versions').select('name').where(hasTag(tag));
        query = query.where('models.name', 'in', tagged);
      }
      const page = toPage(await query.execute(), limit, (row) => row);
      const names = page.data.map(({ name }) => name);
      const aliases = Map.groupBy(await listAliases(db, names), ({ name }) => name);
      return { ...page, data: page.data.map((row) => toModel(row, aliases.get(row.name) ?? [])) };
    },

    async names(limit) {
      const rows = await newestFirst.clearSelect().select('models.name').limit(limit).execute();
      return rows.map(({ name }) => name);
    },

    async versions(name, { limit, after, tag }) {
      let query = db.selectFrom('model_versions').selectAll().where('name', '=', name);
      if (after !== undefined) query = query.where('version', '<', after);
      if (tag !== undefined) query = query.where(hasTag(tag));
      const rows = await query
        .orderBy('version', 'desc')
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
          const number = await publishVersion(trx, { ...version, jobId: null }, { imported, metadata });
          const row = await trx
            .selectFrom('model_versions')
            .selectAll()
            .where('name', '=', version.name)
            .where('version', '=', number)
            .executeTakeFirstOrThrow();
          return toVersion(row, []);
        }),
      ),

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

/** The only LIKE wildcard that a tag may contain is "_". */
function hasTag(tag: string) {
  return sql<boolean>`tags like ${`%"${tag.replaceAll('_', '\\_')}"%`} escape '\\'`;
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
