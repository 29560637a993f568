/** Named models and their numbered versions. */
import type { Kysely } from 'kysely';
import type { Model, ModelVersion } from '../domain/model.ts';
import { AtelierError } from '../errors.ts';
import { toVersion } from './model-versions.ts';
import { type Page, toPage } from './page.ts';
import type { Database, ModelVersionRow } from './tables.ts';

export interface Models {
  get(name: string): Promise<Model | undefined>;
  /**
   * By the creation of their first version, newest first: a further version moves no model, so that pages read while
   * versions are published neither skip nor repeat one.
   * @throws AtelierError `invalid-request` when no model is named `after`
   */
  list(query: { readonly limit: number; readonly after?: string | undefined }): Promise<Page<Model>>;
  /** Newest first; `after` is a version number, exclusive. Empty for a model that does not exist. */
  versions(
    name: string,
    query: { readonly limit: number; readonly after?: number | undefined },
  ): Promise<Page<ModelVersion>>;
  /** The newest when no version is given. */
  version(name: string, version?: number): Promise<ModelVersion | undefined>;
}

export function createModels(db: Kysely<Database>): Models {
  /** Every model with its newest version. */
  const models = db
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

  return {
    async get(name) {
      const row = await models.where('models.name', '=', name).executeTakeFirst();
      return row && toModel(row);
    },

    async list({ limit, after }) {
      let query = models
        .orderBy('models.created_at', 'desc')
        .orderBy('models.name', 'desc')
        .limit(limit + 1);
      if (after !== undefined) {
        const createdAt = await creationOf(after);
        query = query.where((eb) =>
          eb.or([
            eb('models.created_at', '<', createdAt),
            eb.and([eb('models.created_at', '=', createdAt), eb('models.name', '<', after)]),
          ]),
        );
      }
      return toPage(await query.execute(), limit, toModel);
    },

    async versions(name, { limit, after }) {
      let query = db.selectFrom('model_versions').selectAll().where('name', '=', name);
      if (after !== undefined) query = query.where('version', '<', after);
      const rows = await query
        .orderBy('version', 'desc')
        .limit(limit + 1)
        .execute();
      return toPage(rows, limit, toVersion);
    },

    async version(name, version) {
      let query = db.selectFrom('model_versions').selectAll().where('name', '=', name);
      if (version !== undefined) query = query.where('version', '=', version);
      const row = await query.orderBy('version', 'desc').limit(1).executeTakeFirst();
      return row && toVersion(row);
    },
  };

  async function creationOf(after: string): Promise<string> {
    const row = await db
      .selectFrom('models')
      .select('created_at')
      .where('name', '=', after)
      .executeTakeFirst();
    if (row !== undefined) return row.created_at;
    throw new AtelierError(
      'invalid-request',
      `The list cannot go on after "${after}": no model has that name.`,
      {
        details: [{ parameter: 'after', detail: 'must be the name of a model, as the last page gave it' }],
      },
    );
  }
}

function toModel(row: ModelVersionRow & { model_created_at: string; versions: unknown }): Model {
  const latest = toVersion(row);
  // PostgreSQL counts in text
  return { name: row.name, createdAt: row.model_created_at, versions: Number(row.versions), latest };
}
