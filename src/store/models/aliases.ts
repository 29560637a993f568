/** Aliases of versions, with the history of their moves. */
import type { Kysely, Transaction } from 'kysely';
import type { Alias, AliasMove } from '../../domain/models/alias.ts';
import type { Promotion } from '../../domain/training/publication.ts';
import { AtelierError } from '../../errors.ts';
import { decodeOptional, encode } from '../database/json-column.ts';
import { type NumberedQuery, toPage } from '../database/pagination.ts';
import type { Precondition, Rows } from '../database/rows.ts';
import type { AliasRow, Database } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';

/** An alias with the id of its last move. The id identifies its state: an alias that moves away and back has another. */
export interface AliasState {
  readonly alias: Alias;
  readonly move: number;
}

export function createAliases({ db, inTransaction, inReservedTransaction }: Rows) {
  return {
    /** Ordered by alias. Empty for a model that does not exist. */
    list: async (name: string) => (await listAliases(db, [name])).map(toAlias),

    get: (name: string, alias: string) => findAlias(db, name, alias),

    /** Newest first; `after` is the id of a move, exclusive. */
    async history(name: string, { limit, after }: NumberedQuery) {
      let query = db
        .selectFrom('alias_moves')
        .select([
          'id',
          'alias',
          'version',
          'previous_version as previousVersion',
          'at',
          'caller',
          'promotion',
        ])
        .where('name', '=', name);
      if (after !== undefined) query = query.where('id', '<', after);
      const rows = await query
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      return toPage(rows, limit, ({ promotion, ...row }) => ({
        ...row,
        promotion: decodeOptional<Promotion>(promotion),
      }));
    },

    /**
     * Creates or moves an alias. If it already points at the version, nothing is recorded.
     * @param caller name of the API key
     * @param precondition called with undefined if the alias does not exist
     * @throws AtelierError `model-not-found`; `unknown-model` if the model does not have the version
     */
    move: (
      name: string,
      alias: string,
      version: number,
      caller: string,
      precondition?: Precondition<AliasState | undefined>,
    ) =>
      inTransaction(async (trx) => {
        await lockModel(trx, name);
        await assertVersion(trx, name, version);
        const before = await findAlias(trx, name, alias);
        precondition?.(before);
        if (before?.alias.version === version) return { ...before, created: false };
        const previous = before?.alias.version;
        const moved = await pointAlias(trx, name, { alias, version, previous, caller });
        const warning = await warnUncalibrated(trx, name, version, previous);
        return { ...moved, alias: { ...moved.alias, ...warning }, created: before === undefined };
      }),

    /** @throws AtelierError `alias-not-found` */
    remove: (name: string, alias: string, caller: string, precondition?: Precondition<AliasState>) =>
      inReservedTransaction(async (trx) => {
        await lockModel(trx, name);
        const before = await findAlias(trx, name, alias);
        if (before === undefined) {
          throw new AtelierError('alias-not-found', `Model ${name} has no alias ${alias}.`);
        }
        precondition?.(before);
        await deleteAlias(trx, before.alias, name, caller);
      }),
  };
}

/** The aliases of several models, ordered by alias. @param versions the versions they may point at; default: all */
export async function listAliases(
  db: Kysely<Database>,
  names: readonly string[],
  versions?: readonly number[],
): Promise<AliasRow[]> {
  if (names.length === 0 || versions?.length === 0) return [];
  const all = db.selectFrom('aliases').selectAll().where('name', 'in', names).orderBy('alias');
  return (versions === undefined ? all : all.where('version', 'in', versions)).execute();
}

/** Locks the model's row, so that no other transaction can move its aliases or delete its versions. */
export async function lockModel(trx: Transaction<Database>, name: string): Promise<void> {
  await trx.selectFrom('models').select('name').where('name', '=', name).forNoKeyUpdate().execute();
}

/** Points an alias at a version, and records the move. The caller has locked the model and read the alias. */
export async function pointAlias(
  trx: Transaction<Database>,
  name: string,
  move: NewMove & { readonly version: number },
): Promise<AliasState> {
  const { alias, version, caller } = move;
  const { id, at } = await recordMove(trx, name, move);
  const row: AliasRow = { name, alias, version, moved_at: at, moved_by: caller };
  await trx
    .insertInto('aliases')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['name', 'alias']).doUpdateSet({ version, moved_at: at, moved_by: caller }),
    )
    .execute();
  return { alias: toAlias(row), move: id };
}

/** A warning if version `previous` is calibrated and the version that replaces it is not. */
export async function warnUncalibrated(
  trx: Transaction<Database>,
  name: string,
  version: number,
  previous: number | undefined,
): Promise<Pick<Alias, 'warning'>> {
  if (previous === undefined) return {};
  const rows = await trx
    .selectFrom('model_versions')
    .select('version')
    .where('name', '=', name)
    .where('version', 'in', [version, previous])
    .where('calibration', 'is not', null)
    .execute();
  const calibrated = rows.map((row) => row.version);
  if (!calibrated.includes(previous) || calibrated.includes(version)) return {};
  return {
    warning:
      `Version ${version} has no calibration, unlike version ${previous}. Predictions with a coverage compute one from the ` +
      'validation images of its training, and are rejected if there are none. ' +
      `Calibrate it with POST /v1/models/${name}/versions/${version}/calibration.`,
  };
}

/** Deletes an alias, and records that. The caller has locked the model. */
export async function deleteAlias(
  trx: Transaction<Database>,
  { alias, version }: Pick<Alias, 'alias' | 'version'>,
  name: string,
  caller: string,
): Promise<void> {
  await recordMove(trx, name, { alias, version: null, previous: version, caller });
  await trx.deleteFrom('aliases').where('name', '=', name).where('alias', '=', alias).execute();
}

/** In one statement, so the alias and its last move belong together. */
export async function findAlias(
  db: Kysely<Database>,
  name: string,
  alias: string,
): Promise<AliasState | undefined> {
  const row = await db
    .selectFrom('aliases')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('alias_moves')
        .select('alias_moves.id')
        .whereRef('alias_moves.name', '=', 'aliases.name')
        .whereRef('alias_moves.alias', '=', 'aliases.alias')
        .orderBy('alias_moves.id', 'desc')
        .limit(1)
        .as('move'),
    )
    .where('name', '=', name)
    .where('alias', '=', alias)
    .executeTakeFirst();
  return row && { alias: toAlias(row), move: row.move ?? 0 };
}

async function assertVersion(trx: Transaction<Database>, name: string, version: number): Promise<void> {
  const rows = await trx
    .selectFrom('model_versions')
    .select('version')
    .where('name', '=', name)
    .orderBy('version', 'desc')
    .execute();
  if (rows.some((row) => row.version === version)) return;
  if (rows[0] === undefined) throw new AtelierError('model-not-found', `Model ${name} does not exist.`);
  throw new AtelierError(
    'unknown-model',
    `Model ${name} has no version ${version}; its newest is ${rows[0].version}.`,
    { details: [{ pointer: '#/version', detail: 'must be an existing version' }] },
  );
}

interface NewMove extends Pick<AliasMove, 'alias' | 'version' | 'caller'> {
  readonly previous: number | undefined;
  /** Why publishing a version moves the alias */
  readonly promotion?: Promotion;
}

/** @returns the number and the time of the move */
async function recordMove(
  trx: Transaction<Database>,
  name: string,
  move: NewMove,
): Promise<{ readonly id: number; readonly at: string }> {
  const { alias_moves: id } = await trx
    .updateTable('models')
    .set((eb) => ({ alias_moves: eb('alias_moves', '+', 1) }))
    .where('name', '=', name)
    .returning('alias_moves')
    .executeTakeFirstOrThrow();
  const last = trx.selectFrom('alias_moves').select('at').where('name', '=', name);
  const at = timestamp((await last.where('id', '=', id - 1).executeTakeFirst())?.at);
  const { alias, version, previous, caller, promotion } = move;
  await trx
    .insertInto('alias_moves')
    .values({
      name,
      id,
      alias,
      version,
      previous_version: previous ?? null,
      at,
      caller,
      promotion: promotion === undefined ? null : encode(promotion),
    })
    .execute();
  return { id, at };
}

function toAlias({ alias, version, moved_at, moved_by }: AliasRow): Alias {
  return { alias, version, movedAt: moved_at, movedBy: moved_by };
}
