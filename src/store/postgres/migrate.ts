/** Migrates a PostgreSQL database to the current schema. */
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import { AtelierError } from '../../errors.ts';
import { createPool, SCHEMA } from './connect.ts';
import { migrations } from './migrations/all.ts';
import type { PostgresTables } from './tables.ts';

/** Logs a step of the preparation. */
type Report = (message: string, fields: Readonly<Record<string, unknown>>) => void;

const OLDEST_SERVER = 15;
/** Migrations name tables without a schema, because SQLite has none. */
const BEGIN = `begin; set local search_path to ${SCHEMA}`;

/**
 * Runs the pending migrations in one transaction, under a lock, so that of several processes one migrates. Migrations of
 * a newer release only add, so an older process goes on with them, until one of them sets a newer `oldest_release`.
 * @throws AtelierError `storage-unavailable`; `state-unusable` if an incompatible release wrote the database, the server
 *   is too old, or rights are missing
 */
export async function migratePostgres(url: string, report: Report = () => {}): Promise<void> {
  const pool = await createPool({ url, poolSize: 1, begin: BEGIN });
  const db = new Kysely<PostgresTables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await assertServer(db);
    if ((await pendingMigrations(db)).length > 0)
      await db.transaction().execute((trx) => migrate(trx, report));
  } finally {
    await db.destroy();
  }
}

async function assertServer(db: Kysely<PostgresTables>): Promise<void> {
  const { rows } = await sql<{ version: string; encoding: string }>`
    select current_setting('server_version') as version, current_setting('server_encoding') as encoding`.execute(
    db,
  );
  const { version, encoding } = rows[0]!;
  if (Number.parseInt(version, 10) < OLDEST_SERVER) {
    throw new AtelierError(
      'state-unusable',
      `The server of DATABASE_URL is PostgreSQL ${version}. Use version ${OLDEST_SERVER} or newer.`,
    );
  }
  if (encoding === 'UTF8') return;
  throw new AtelierError(
    'state-unusable',
    `The database of DATABASE_URL has the encoding ${encoding}. Create one with the encoding UTF8, as in ` +
      "create database atelier encoding 'UTF8' template template0.",
  );
}

/** @throws AtelierError `state-unusable` if an incompatible release wrote the database */
async function pendingMigrations(db: Kysely<PostgresTables>): Promise<string[]> {
  const names = Object.keys(migrations).sort();
  const { rows } = await sql<{ exists: boolean }>`
    select to_regclass(${`${SCHEMA}.migrations`}) is not null as exists`.execute(db);
  if (!rows[0]!.exists) return names;
  const tables = db.withSchema(SCHEMA);
  const done = await tables.selectFrom('migrations').select('name').execute();
  const unknown = done.some(({ name }) => !(name in migrations));
  if (unknown) await assertCompatible(tables, names.at(-1)!);
  return names.filter((name) => !done.some((each) => each.name === name));
}

async function assertCompatible(db: Kysely<PostgresTables>, newest: string): Promise<void> {
  const { oldest_release: oldest } = await db
    .selectFrom('compatibility')
    .select('oldest_release')
    .executeTakeFirstOrThrow();
  if (newest >= oldest) return;
  throw new AtelierError(
    'state-unusable',
    `The database was written by a newer release of Atelier, which needs migration ${oldest}; this release ends with ${newest}. ` +
      'Start the newer release, or use another database.',
  );
}

async function migrate(trx: Transaction<PostgresTables>, report: Report): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('atelier migrations'))`.execute(trx);
  // Another process may have migrated meanwhile.
  const pending = await pendingMigrations(trx);
  if (pending.length === 0) return;
  report('migrating the database', { migrations: pending });
  const { rows } = await sql`select 1 from pg_namespace where nspname = ${SCHEMA}`.execute(trx);
  if (rows.length === 0) await trx.schema.createSchema(SCHEMA).execute();
  await createMigrationTable(trx);
  for (const name of pending) {
    const startedAt = performance.now();
    await migrations[name]!.up(trx);
    await trx.insertInto('migrations').values({ name, at: new Date().toISOString() }).execute();
    report('migrated the database', {
      migration: name,
      durationMs: Math.round(performance.now() - startedAt),
    });
  }
  await orderTextByBytes(trx);
}

function createMigrationTable(trx: Transaction<PostgresTables>): Promise<void> {
  return trx.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('at', 'text', (column) => column.notNull())
    .execute();
}

/**
 * SQLite orders text by its bytes; PostgreSQL by the language of the database, unless a column says otherwise. Portable
 * migrations cannot set it. A partition has the columns of its table.
 */
async function orderTextByBytes(trx: Transaction<PostgresTables>): Promise<void> {
  const { rows } = await sql<{ table: string; column: string }>`
    select relname as table, attname as column
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = ${SCHEMA}::regnamespace and relkind in ('r', 'p') and not relispartition
      and atttypid = 'text'::regtype and attcollation != '"C"'::regcollation and not attisdropped
    order by relname, attnum`.execute(trx);
  for (const { table, column } of rows) {
    await sql`alter table ${sql.id(table)} alter column ${sql.id(column)} type text collate "C"`.execute(trx);
  }
}
