/** Checks the database file and migrates it to the current schema. */
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { AtelierError } from '../../../errors.ts';
import { migrations } from '../../migrations/all.ts';
import {
  elapsed,
  MIGRATION_TABLE,
  type Report,
  rejectDevelopmentState,
  runMigrations,
} from '../../migrations/migrate.ts';
import { copyBeforeMigration } from '../backup/before-migration.ts';
import { createDialect } from '../dialect.ts';
import { assertUnusedDatabase } from '../lock.ts';

const BUSY_TIMEOUT_MS = 5_000;

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
 * @throws AtelierError `state-locked`; `state-unusable` if another version wrote it; `storage-full` if the copy needs more
 * space; an Error of SQLite or of a migration
 */
export async function prepareDatabase(file: string, report: Report, all = migrations): Promise<void> {
  using raw = openConnection(file);
  assertUnusedDatabase(raw, file);
  checkIntegrity(raw);
  const done = readMigrations(raw, file, all);
  const pending = Object.keys(all).filter((name) => !done.includes(name));
  const [first] = pending;
  if (first === undefined) return;
  if (done.length > 0) {
    const startedAt = performance.now();
    const copy = await copyBeforeMigration(raw, file, first);
    report('copied the database before its migration', { copy, durationMs: elapsed(startedAt) });
  }
  report('migrating the database', { migrations: pending });
  const db = new Kysely<unknown>({ dialect: createDialect(raw) });
  await db.transaction().execute((trx) => runMigrations(trx, all, report));
}

/** @throws Error if the file is damaged */
function checkIntegrity(raw: DatabaseSync): void {
  const [found] = Object.values(raw.prepare('pragma quick_check(1)').get() ?? {});
  if (found !== 'ok') throw new Error(`the file is damaged (${found})`);
}

/**
 * Reads the names of the migrations that the database has; none of a new one.
 * @throws AtelierError `state-unusable` if a newer version, or one from before the first release, wrote the database
 */
export function readMigrations(
  raw: DatabaseSync,
  file: string,
  all = migrations,
  advice = 'Start that version again, or set STATE_DIR to another directory.',
): string[] {
  const tables = raw.prepare('select name from sqlite_schema').all();
  if (tables.length === 0) return [];
  const isMigrated = tables.some(({ name }) => name === MIGRATION_TABLE);
  const rows = isMigrated ? raw.prepare(`select name from ${MIGRATION_TABLE}`).all() : [];
  const done = rows.map(({ name }) => String(name));
  rejectDevelopmentState(done, file, 'Then set STATE_DIR to a new directory.');
  const unknown = done.filter((name) => !(name in all));
  if (unknown.length === 0) return done;
  throw new AtelierError(
    'state-unusable',
    `${file} was written by a newer version of Atelier: it has the unknown migration ${unknown.join(', ')}. ${advice}`,
  );
}
