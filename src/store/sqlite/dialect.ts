/** Kysely dialect for node:sqlite, and SQLite errors with advice. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { SqliteAdapter, type SqliteDatabase, SqliteDialect, type SqliteDriver } from 'kysely';
import { createSemaphore, type Semaphore } from '../../concurrency/semaphore.ts';
import { AtelierError } from '../../errors.ts';
import { errorMessage, storageFull } from '../blobs/directory.ts';
import { type CommitHooks, GroupCommitDriver, SYNCED_BY_SQLITE } from './driver.ts';

/** Statements throw AtelierError `storage-full` or `state-unusable` if the disk fails. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #createDriver: () => SqliteDriver;

  /** @param connection held during each use of the connection */
  constructor(
    raw: DatabaseSync,
    hooks: CommitHooks = SYNCED_BY_SQLITE,
    connection: Semaphore = createSemaphore(1),
  ) {
    const config = { database: adapt(raw, hooks) };
    super(config);
    this.#createDriver = () => new GroupCommitDriver(config, hooks, connection);
  }

  override createDriver(): SqliteDriver {
    return this.#createDriver();
  }

  override createAdapter(): SqliteAdapter {
    return new NodeSqliteAdapter();
  }
}

class NodeSqliteAdapter extends SqliteAdapter {
  /** SQLite can roll back DDL. Without this, a migration that is killed midway would block every later start. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  /** There is one, but the driver grants it: Kysely would hold it until it is durable what was committed. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** Adapts node:sqlite to the interface of better-sqlite3, which Kysely expects. */
function adapt(raw: DatabaseSync, { beforeCommit, onCommit }: CommitHooks): SqliteDatabase {
  /** Whether the open transaction has changed something. */
  let changed = false;

  function execute<T>(sql: string, run: () => T): T {
    try {
      const result = withNamedErrors(run);
      changed ||= !/^(select|begin|commit)\b/.test(sql);
      if (changed && !raw.isTransaction) {
        changed = false;
        onCommit();
      }
      return result;
    } catch (error) {
      if (!raw.isTransaction) changed = false;
      throw error;
    }
  }

  const prepare = cacheStatements(raw);

  return {
    close: () => raw.close(),
    prepare(sql) {
      const { statement, reader } = prepare(sql);
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader,
        all: (parameters) => execute(sql, () => statement.all(...values(parameters))),
        run(parameters) {
          if (sql === 'commit') beforeCommit();
          if (sql !== 'rollback') return execute(sql, () => statement.run(...values(parameters)));
          changed = false;
          // On a full disk SQLite has rolled back by itself; a second error would hide the first one.
          return raw.isTransaction ? withNamedErrors(() => statement.run()) : NOTHING_CHANGED;
        },
        // The rows of a cached statement would end when it runs again.
        iterate: (parameters) => raw.prepare(sql).iterate(...values(parameters)),
      };
    },
  };
}

const MAX_STATEMENTS = 200;

interface PreparedStatement {
  readonly statement: StatementSync;
  /** Whether it returns rows. */
  readonly reader: boolean;
}

/**
 * Prepares statements, and keeps those used last: preparing one takes longer than running it. SQLite prepares it again by itself when the schema has changed.
 */
function cacheStatements(raw: DatabaseSync): (sql: string) => PreparedStatement {
  const statements = new Map<string, PreparedStatement>();

  function prepare(sql: string): PreparedStatement {
    const statement = raw.prepare(sql);
    return { statement, reader: statement.columns().length > 0 };
  }

  return (sql) => {
    const prepared = statements.get(sql) ?? prepare(sql);
    statements.delete(sql);
    statements.set(sql, prepared);
    const [oldest] = statements.keys();
    if (statements.size > MAX_STATEMENTS) statements.delete(oldest!);
    return prepared;
  };
}

const NOTHING_CHANGED = { changes: 0, lastInsertRowid: 0 };

const BUSY = 5;
const READONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

const PERMISSIONS = 'Check the owner and permissions of the file and its directory.';
const RESTORE =
  'Restore it from a backup, with its -wal file if it has one, or move the state directory away to start empty.';

const ADVICE: Readonly<Record<number, string>> = {
  [BUSY]: 'Close the other program that is using it.',
  [READONLY]: PERMISSIONS,
  [IO_ERROR]: 'Check the disk.',
  [CORRUPT]: RESTORE,
  [FULL]: 'Free some space on the disk.',
  [CANNOT_OPEN]: PERMISSIONS,
  [NOT_A_DATABASE]: RESTORE,
};

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY;
}

/** Converts disk failures to named errors. Other errors of a statement are bugs and are rethrown unchanged. */
function withNamedErrors<T>(statement: () => T): T {
  try {
    return statement();
  } catch (error) {
    const code = primaryCode(error);
    if (code === FULL) throw storageFull('the change', error);
    throw code !== undefined && code in ADVICE ? toStateError('The database', error) : error;
  }
}

/** Converts an error of SQLite to a `state-unusable` error with advice. Returns an AtelierError unchanged. */
export function toStateError(file: string, error: unknown): AtelierError {
  if (error instanceof AtelierError) return error;
  const advice = ADVICE[primaryCode(error) ?? CORRUPT] ?? RESTORE;
  return new AtelierError('state-unusable', `${file} cannot be used: ${errorMessage(error)}. ${advice}`, {
    cause: error,
  });
}

/** The primary SQLite result code, without the extended code in its upper bits. */
function primaryCode(error: unknown): number | undefined {
  const hasCode = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
  return hasCode ? (error.errcode as number) & 0xff : undefined;
}
