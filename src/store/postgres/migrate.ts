/** Migrates a PostgreSQL database to the current schema. */
import { Kysely, PostgresAdapter, PostgresDialect, sql, type Transaction } from 'kysely';
import { AtelierError } from '../../errors.ts';
import type { Migrations } from '../migrations/all.ts';
import {
  MIGRATION_TABLE,
  type Report,
  rejectDevelopmentState,
  runMigrations,
} from '../migrations/migrate.ts';
import { createPool, SCHEMA } from './connect.ts';
import { migrations } from './migrations/all.ts';
import type { PostgresTables } from './tables.ts';

const OLDEST_SERVER = 15;

/**
 * Runs the pending migrations in one transaction, under a lock, so that of several processes one migrates. Migrations of
 * a newer release only add, so an older process goes on with them, until one of them sets a newer `oldest_release`.
 * @throws AtelierError `storage-unavailable`; `state-unusable` if an incompatible release wrote the database, the server
 *   is too old, or rights are missing
 */
export async function migratePostgres(
  url: string,
  report: Report = () => {},
  all: Migrations = migrations,
): Promise<void> {
  const pool = await createPool({ url, poolSize: 1 });
  await using db = new Kysely<PostgresTables>({ dialect: new MigrationDialect({ pool }) });
  await assertServer(db);
  if ((await pendingMigrations(db, all)).length > 0)
    await db.transaction().execute((trx) => migrate(trx, all, report));
}

/** The transaction holds a lock of its own: Kysely's belongs to a session, is shared by a pooler, and outlives an error. */
class MigrationDialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new UnlockedAdapter();
  }
}

class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

async function migrate(trx: Transaction<PostgresTables>, all: Migrations, report: Report): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('atelier migrations'))`.execute(trx);
  // Another process may have migrated in between.
  const pending = await pendingMigrations(trx, all);
  if (pending.length === 0) return;
  report('migrating the database', { migrations: pending });
  // Kysely would create the schema, but lose the error if the rights are missing.
  const { rows } = await sql`select 1 from pg_namespace where nspname = ${SCHEMA}`.execute(trx);
  if (rows.length === 0) await trx.schema.createSchema(SCHEMA).execute();
  // Migrations name tables without a schema, because SQLite has none.
  await sql`set local search_path to ${sql.id(SCHEMA)}`.execute(trx);
  await runMigrations(trx, all, report, SCHEMA);
  await orderTextByBytes(trx);
}

/** @throws AtelierError `state-unusable` if an incompatible release wrote the database */
async function pendingMigrations(db: Kysely<PostgresTables>, all: Migrations): Promise<string[]> {
  const names = Object.keys(all);
  const { rows } = await sql<{ isEmpty: boolean; isMigrated: boolean }>`
    select to_regclass(${`${SCHEMA}.jobs`}) is null as "isEmpty",
      to_regclass(${`${SCHEMA}.${MIGRATION_TABLE}`}) is not null as "isMigrated"`.execute(db);
  const { isEmpty, isMigrated } = rows[0]!;
  if (isEmpty) return names;
  const tables = db.withSchema(SCHEMA);
  const done = isMigrated ? await tables.selectFrom(MIGRATION_TABLE).select('name').execute() : [];
  const known = new Set(done.map(({ name }) => name));
  rejectDevelopmentState(
    [...known],
    'The database of DATABASE_URL',
    'Then set DATABASE_URL to an empty database.',
  );
  if (known.difference(new Set(names)).size > 0) await assertCompatible(tables, names.toSorted().at(-1)!);
  return names.filter((name) => !known.has(name));
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

async function assertCompatible(db: Kysely<PostgresTables>, newest: string): Promise<void> {
  const { oldest_release: oldest } = await db
    .selectFrom('compatibility')
    .select('oldest_release')
    .executeTakeFirstOrThrow();
  if (newest >= oldest) return;
  throw new AtelierError(
    'state-unusable',
    `The database was written by a newer release of Atelier and needs migration ${oldest}; this release ends with ${newest}. ` +
      'Start the newer release, or use another database.',
  );
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
