/** Opens and validates the database file, and migrates it to the current schema. */
import { constants, existsSync } from 'node:fs';
import { access, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { AtelierError } from '../errors.ts';
import { syncDirectory } from './directory.ts';
import { createEventNotifications, type OnCommitted } from './event-notifications.ts';
import { assertUnusedDatabase } from './lock.ts';
import { migrations } from './migrations/migrations.ts';
import { NodeSqliteDialect, toStateError } from './sqlite.ts';
import type { Database } from './tables.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** SQLite's default page size. */
const PAGE_BYTES = 4_096;
const MIGRATION_TABLE = 'kysely_migration';

/** @throws AtelierError `state-unusable` */
export async function openDatabase(
  file: string,
  onCommitted: OnCommitted = () => {},
): Promise<Kysely<Database>> {
  try {
    if (!existsSync(file)) await create(file);
    await validateDatabaseFile(file);
    return await connect(file, onCommitted);
  } catch (error) {
    throw toStateError(file, error);
  }
}

/** Creates the file under a temporary name, so that a file that is empty or has no tables is always a damaged one. */
async function create(file: string): Promise<void> {
  if (existsSync(`${file}-wal`)) {
    throw new Error('the file is missing, but its -wal file with the last changes exists');
  }
  const temporary = `${file}.new`;
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(temporary + suffix, { force: true });
  const db = await connect(temporary, () => {});
  await db.destroy();
  await rename(temporary, file);
  await syncDirectory(dirname(file));
}

/**
 * Rejects files that SQLite would accept silently: it treats an empty file as a new database, pads a truncated page with
 * zeros, and opens a write-protected file read-only.
 */
async function validateDatabaseFile(file: string): Promise<void> {
  const { size } = await stat(file);
  if (size === 0) throw new Error('the file is empty');
  // If a -wal file exists, a page may be half written; it will be written again from the log.
  if (size % PAGE_BYTES !== 0 && !existsSync(`${file}-wal`)) {
    throw new Error('the file ends within a page, so it is truncated or not a database');
  }
  try {
    await access(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new AtelierError(
      'state-unusable',
      `${file} cannot be written by this process. Check the owner and permissions of the file.`,
      { cause: error },
    );
  }
}

async function connect(file: string, onCommitted: OnCommitted): Promise<Kysely<Database>> {
  const raw = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    raw.exec('pragma journal_mode = wal; pragma synchronous = full');
    assertUnusedDatabase(raw, file);
    const [found] = Object.values(raw.prepare('pragma quick_check(1)').get() ?? {});
    if (found !== 'ok') throw new Error(`the file is damaged (${found})`);
    const notifications = createEventNotifications(raw, onCommitted);
    const db = new Kysely<Database>({
      dialect: new NodeSqliteDialect(raw, notifications.flush, notifications.discard),
    });
    await rejectNewerSchema(db, file);
    const { error } = await migrator(db).migrateToLatest();
    if (error !== undefined) throw error;
    notifications.start();
    return db;
  } catch (error) {
    raw.close();
    throw error;
  }
}

function migrator(db: Kysely<Database>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
}

async function rejectNewerSchema(db: Kysely<Database>, file: string): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === MIGRATION_TABLE)) return;
  const done = await db
    .withTables<{ [MIGRATION_TABLE]: { name: string } }>()
    .selectFrom(MIGRATION_TABLE)
    .select('name')
    .execute();
  const unknown = done.map(({ name }) => name).filter((name) => !(name in migrations));
  if (unknown.length === 0) return;
  throw new AtelierError(
    'state-unusable',
    `${file} was written by a newer version of Atelier: it has the unknown migration ${unknown.join(', ')}. ` +
      'Start that version again, or set STATE_DIR to another directory.',
  );
}
