/** Opens and validates the database file, and migrates it to the current schema. */
import { constants, existsSync, statSync } from 'node:fs';
import { access, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Kysely } from 'kysely';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { AtelierError } from '../../errors.ts';
import { syncPath } from '../blobs/directory.ts';
import type { Database } from '../database/tables.ts';
import type { Report } from '../migrations/migrate.ts';
import { createDialect } from './dialect.ts';
import type { CommitHooks } from './driver.ts';
import { toStateError } from './errors.ts';
import { createGroupCommit } from './group-commit.ts';
import { openConnection, prepareDatabase } from './prepare/database.ts';
import { prepareInThread } from './prepare/in-thread.ts';
import { openWriteAheadLog, type WriteAheadLog } from './write-ahead-log.ts';

/** A larger file is checked and migrated in a thread, because that takes seconds. Starting a thread takes 0.3 s. */
const LARGE_BYTES = 8 * 2 ** 20;
/** SQLite's default page size. */
const PAGE_BYTES = 4_096;

export interface DatabaseOptions {
  readonly report?: Report;
  /** Called before each commit; if it throws, the transaction is rolled back. */
  readonly beforeCommit?: () => void;
  /** Called with advice if the write-ahead log cannot be copied into the database. */
  readonly warn?: (message: string) => void;
}

/** @throws AtelierError `state-unusable`, `state-locked` */
export async function openDatabase(file: string, options: DatabaseOptions = {}): Promise<Kysely<Database>> {
  const { report = () => {} } = options;
  try {
    if (existsSync(file)) {
      await validateDatabaseFile(file);
      await (isLarge(file) ? prepareInThread : prepareDatabase)(file, report);
    } else {
      await create(file);
    }
    return await connect(file, options);
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
  await prepareDatabase(temporary, () => {});
  await rename(temporary, file);
  await syncPath(dirname(file));
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

function isLarge(file: string): boolean {
  const sizes = [file, `${file}-wal`].map((each) => statSync(each, { throwIfNoEntry: false })?.size ?? 0);
  return Math.max(...sizes) > LARGE_BYTES;
}

async function connect(
  file: string,
  { beforeCommit = () => {}, warn = () => {} }: DatabaseOptions,
): Promise<Kysely<Database>> {
  const raw = openConnection(file);
  let log: WriteAheadLog | undefined;
  try {
    // SQLite would sync in the main thread, at each commit and when it copies the log.
    raw.exec('pragma synchronous = normal; pragma wal_autocheckpoint = 0');
    // Deleted rows, such as the secrets of webhooks, are overwritten with zeros instead of staying in free pages.
    raw.exec('pragma secure_delete = on');
    const connection = createSemaphore(1);
    log = await openWriteAheadLog(file, connection, warn);
    // A killed process may have committed what it did not sync.
    await log.sync();
    const { add, durable, assertUsable } = createGroupCommit(log.sync);
    const hooks: CommitHooks = {
      beforeCommit,
      onCommit: add,
      durable,
      assertUsable,
      close: log.close,
    };
    return new Kysely<Database>({ dialect: createDialect(raw, hooks, connection) });
  } catch (error) {
    await log?.close();
    raw.close();
    throw error;
  }
}
