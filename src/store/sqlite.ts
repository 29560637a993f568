/** Kysely dialect for node:sqlite, and SQLite errors with advice. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { SqliteAdapter, SqliteDialect } from 'kysely';
import { AtelierError } from '../errors.ts';
import { errorMessage, storageFull } from './directory.ts';

/**
 * Adapts node:sqlite to the interface of better-sqlite3, which Kysely expects.
 * Statements throw AtelierError `storage-full` or `state-unusable` if the disk fails.
 */
export class NodeSqliteDialect extends SqliteDialect {
  /**
   * @param onWritten called after each statement without result columns, such as a commit
   * @param onRolledBack called after every rollback, including those by SQLite itself
   * @param beforeCommit if it throws, the transaction is rolled back
   */
  constructor(
    raw: DatabaseSync,
    onWritten: () => void = () => {},
    onRolledBack: () => void = () => {},
    beforeCommit: () => void = () => {},
  ) {
    super({
      database: {
        close: () => raw.close(),
        prepare: (sql) => {
          const statement = raw.prepare(sql);
          const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => withNamedErrors(() => statement.all(...values(parameters))),
            run(parameters) {
              if (sql === 'commit') beforeCommit();
              if (sql === 'rollback') {
                onRolledBack();
                // On a full disk SQLite has rolled back by itself; a second error would hide the first one.
                if (!raw.isTransaction) return { changes: 0, lastInsertRowid: 0 };
              }
              try {
                const result = withNamedErrors(() => statement.run(...values(parameters)));
                onWritten();
                return result;
              } catch (error) {
                if (!raw.isTransaction) onRolledBack();
                throw error;
              }
            },
            iterate: (parameters) => statement.iterate(...values(parameters)),
          };
        },
      },
    });
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

/** SQLite can roll back DDL. Without this, a migration that is killed midway would block every later start. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

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
