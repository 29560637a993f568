/** Rows of models and versions with their aliases. */
import type { Kysely } from 'kysely';
import type { Model, ModelVersion } from '../../domain/models/representation.ts';
import type { AliasRow, Database, ModelVersionRow } from '../database/tables.ts';
import { listAliases } from './aliases.ts';
import { toVersion } from './versions.ts';

/** Every model with its newest version. */
export function selectModels(db: Kysely<Database>) {
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

export async function findModel(db: Kysely<Database>, name: string): Promise<Model | undefined> {
  const row = await selectModels(db).where('models.name', '=', name).executeTakeFirst();
  return row && toModel(row, await listAliases(db, [name]));
}

export async function findVersion(
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

export async function withAliases(db: Kysely<Database>, row: ModelVersionRow): Promise<ModelVersion> {
  return toVersion(row, toAliasNames(await listAliases(db, [row.name], [row.version])));
}

export const toAliasNames = (rows: readonly AliasRow[] = []) => rows.map(({ alias }) => alias);

export function toModel(
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
