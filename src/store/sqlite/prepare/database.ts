/** Checks the database file and migrates it to the current schema. */
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { AtelierError } from '../../../errors.ts';
import { migrations } from '../../migrations/all.ts';
import { copyBeforeMigration } from '../backup/before-migration.ts';
import { NodeSqliteDialect } from '../dialect.ts';
import { assertUnusedDatabase } from '../lock.ts';

const BUSY_TIMEOUT_MS = 5_000;
const MIGRATION_TABLE = 'kysely_migration';

/** Logs a step of the preparation. */
export type Report = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** The caller closes the connection. */
export function openConnection(file: string): DatabaseSync {
  const raw = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    raw.exec('pragma journal_mode = wal; pragma synchronous = full');
    return raw;
  } catch (error) {
    raw.close();
    throw error;
  }
}

/**
 * Checks the file and runs its pending migrations, all in one transaction; an existing database is copied before.
 * Synchronous for most of its time.
 * @throws AtelierError `state-locked`; `state-unusable` if the schema is newer; `storage-full` if the copy needs more space;
 * an Error of SQLite or of a migration
 */
export async function prepareDatabase(file: string, report: Report): Promise<void> {
  const raw = openConnection(file);
  try {
    assertUnusedDatabase(raw, file);
    checkIntegrity(raw);
    const pending = pendingMigrations(raw, file);
    const [first] = pending;
    if (first === undefined) return;
    const isNew = pending.length === Object.keys(migrations).length;
    if (!isNew) {
      const startedAt = performance.now();
      const copy = await copyBeforeMigration(raw, file, first);
      report('copied the database before its migration', { copy, durationMs: elapsed(startedAt) });
    }
    await migrate(raw, pending, report);
  } finally {
    raw.close();
  }
}

/** @returns whole milliseconds */
const elapsed = (startedAt: number) => Math.round(performance.now() - startedAt);

async function migrate(raw: DatabaseSync, pending: readonly string[], report: Report): Promise<void> {
  report('migrating the database', { migrations: pending });
  const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(raw) });
  const timed = ({ up }: Migration, name: string): Migration => ({
    async up(trx) {
      const startedAt = performance.now();
      await up(trx);
      report('migrated the database', { migration: name, durationMs: elapsed(startedAt) });
    },
  });
  const provider = {
    getMigrations: async () =>
      Object.fromEntries(Object.entries(migrations).map(([name, each]) => [name, timed(each, name)])),
  };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw error;
}

/** @throws Error if the file is damaged */
function checkIntegrity(raw: DatabaseSync): void {
  const [found] = Object.values(raw.prepare('pragma quick_check(1)').get() ?? {});
  if (found !== 'ok') throw new Error(`the file is damaged (${found})`);
}

/** @throws AtelierError `state-unusable` if a newer version of Atelier wrote the database */
export function pendingMigrations(
  raw: DatabaseSync,
  file: string,
  advice = 'Start that version again, or set STATE_DIR to another directory.',
): string[] {
  const exists = raw.prepare('select 1 from sqlite_schema where name = ?').get(MIGRATION_TABLE) !== undefined;
  const rows = exists ? raw.prepare(`select name from ${MIGRATION_TABLE}`).all() : [];
  const done = rows.map(({ name }) => String(name));
  const unknown = done.filter((name) => !(name in migrations));
  if (unknown.length === 0) return Object.keys(migrations).filter((name) => !done.includes(name));
  throw new AtelierError(
    'state-unusable',
    `${file} was written by a newer version of Atelier: it has the unknown migration ${unknown.join(', ')}. ${advice}`,
  );
}
