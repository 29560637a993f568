/** Kysely driver of one SQLite connection: its users take turns, and wait until their commits are durable. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Semaphore } from '../../concurrency/semaphore.ts';
import { withNamedErrors } from './errors.ts';

/** How the driver reports commits, and waits for them. */
export interface CommitHooks {
  /** Called before the commit of each transaction. If it throws, the transaction is rolled back. */
  beforeCommit(): void;
  /** Called after each commit that changed something. */
  onCommit(): void;
  /** Called at the begin of each turn. @throws AtelierError if the connection must not be used any more */
  assertUsable(): void;
  /** Resolves when every commit so far is durable. */
  durable(): Promise<void>;
  /** Called before the connection is closed. */
  close(): Promise<void>;
}

/** For a connection that syncs at each commit (`synchronous = full`). */
export const SYNCED_BY_SQLITE: CommitHooks = {
  beforeCommit() {},
  onCommit() {},
  assertUsable() {},
  async durable() {},
  async close() {},
};

const MAX_STATEMENTS = 200;

interface PreparedStatement {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

/**
 * Kysely gets a session for each user. A session takes a turn at the connection for each statement, or for a transaction.
 * The turn ends before the session waits for the sync: others can commit and share the next sync. Every user waits,
 * even one that only read, because its result may contain what another user has just committed.
 * @param turns held during each use of the connection
 */
export function createDriver(raw: DatabaseSync, hooks: CommitHooks, turns: Semaphore): Driver {
  /** Statements that were used last: preparing one takes longer than running it. */
  const statements = new LRUCache<string, PreparedStatement>({ max: MAX_STATEMENTS, memoMethod: prepare });
  /** Sessions with a transaction, each with its turn. */
  const transactions = new WeakMap<DatabaseConnection, Disposable>();
  const countChanges = raw.prepare('select total_changes() as changes');
  let changes = 0;

  function prepare(sql: string): PreparedStatement {
    const statement = raw.prepare(sql);
    return { statement, returnsRows: statement.columns().length > 0 };
  }

  function run<Row>({ sql, parameters }: CompiledQuery): QueryResult<Row> {
    return withNamedErrors(() => {
      const { statement, returnsRows } = statements.memo(sql);
      const values = parameters as SQLInputValue[];
      if (returnsRows) return { rows: statement.all(...values) as Row[] };
      return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
    });
  }

  /** Also counts rolled-back changes; the next commit then syncs for nothing. */
  function reportCommit(): void {
    const before = changes;
    changes = Number(countChanges.get()!['changes']);
    if (changes !== before) hooks.onCommit();
  }

  function createSession(): DatabaseConnection {
    const session: DatabaseConnection = {
      async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
        if (transactions.has(session)) return run(query);
        using _turn = await turns.acquire();
        hooks.assertUsable();
        const result = run<Row>(query);
        reportCommit();
        return result;
      },
      streamQuery() {
        throw new Error('Rows are read in pages, not as a stream.');
      },
    };
    return session;
  }

  return {
    async init() {},
    acquireConnection: async () => createSession(),
    async beginTransaction(session) {
      transactions.set(session, await turns.acquire());
      hooks.assertUsable();
      withNamedErrors(() => raw.exec('begin'));
    },
    async commitTransaction() {
      hooks.beforeCommit();
      withNamedErrors(() => raw.exec('commit'));
      reportCommit();
    },
    async rollbackTransaction() {
      // On a full disk, SQLite has rolled back. A second error would hide the first one.
      if (raw.isTransaction) withNamedErrors(() => raw.exec('rollback'));
    },
    async releaseConnection(session) {
      transactions.get(session)?.[Symbol.dispose]();
      transactions.delete(session);
      await hooks.durable();
    },
    async destroy() {
      await turns.run(async () => {}); // waits for the current transaction
      await hooks.durable().catch(() => {}); // its users get the error
      await hooks.close();
      raw.close();
    },
  };
}
