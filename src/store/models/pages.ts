/** Pages of models and of versions: filters, order and cursor of a list. */
import type { Kysely } from 'kysely';
import type { Model, ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import { type Page, toPage } from '../database/pagination.ts';
import type { Database } from '../database/tables.ts';
import { listAliases } from './aliases.ts';
import {
  ACCURACY,
  creationConditions,
  hasPrefix,
  type ModelQuery,
  type VersionQuery,
  versionConditions,
} from './filters.ts';
import { selectModels, toAliasNames, toModel } from './rows.ts';
import { toVersion } from './versions.ts';

/** See `Models.list`. */
export async function listModels(
  db: Kysely<Database>,
  { limit, after, sort = '-createdAt', namePrefix, ...filter }: ModelQuery,
): Promise<Page<Model>> {
  let query = modelsInOrder(db, sort).limit(limit + 1);
  const next = sort.startsWith('-') ? '<' : '>';
  if (after !== undefined && sort.endsWith('name')) query = query.where('models.name', next, after);
  else if (after !== undefined) {
    const createdAt = await creationTime(db, after);
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
}

/** See `Models.names`. */
export async function listNames(db: Kysely<Database>, limit: number): Promise<string[]> {
  const rows = await modelsInOrder(db, '-createdAt')
    .clearSelect()
    .select('models.name')
    .limit(limit)
    .execute();
  return rows.map(({ name }) => name);
}

/** See `Models.versions`. */
export async function listVersions(
  db: Kysely<Database>,
  name: string,
  { limit, after, sort = '-version', ...filter }: VersionQuery,
): Promise<Page<ModelVersion>> {
  let query = db.selectFrom('model_versions').selectAll().where('name', '=', name);
  for (const condition of versionConditions(filter)) query = query.where(condition);
  for (const condition of creationConditions(filter, 'created_at')) query = query.where(condition);
  const [direction, next] = sort.startsWith('-') ? (['desc', '<'] as const) : (['asc', '>'] as const);
  if (sort === '-testAccuracy') {
    if (after !== undefined) {
      const accuracy = await readAccuracy(db, name, after);
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
}

function modelsInOrder(db: Kysely<Database>, sort: NonNullable<ModelQuery['sort']>) {
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const all = selectModels(db);
  const ordered = sort.endsWith('name') ? all : all.orderBy('models.created_at', direction);
  return ordered.orderBy('models.name', direction);
}

async function readAccuracy(db: Kysely<Database>, name: string, after: number): Promise<number> {
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

async function creationTime(db: Kysely<Database>, after: string): Promise<string> {
  const row = await db.selectFrom('models').select('created_at').where('name', '=', after).executeTakeFirst();
  if (row !== undefined) return row.created_at;
  throw new AtelierError(
    'invalid-request',
    `The list cannot continue after "${after}", because no model has that name.`,
    {
      details: [{ parameter: 'after', detail: 'must be the name of an existing model' }],
    },
  );
}
