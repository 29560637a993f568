/** Kysely driver of one SQLite connection, whose users wait until their commits are durable. */
import { type DatabaseConnection, type SqliteDialectConfig, SqliteDriver } from 'kysely';
import type { Semaphore } from '../../concurrency/semaphore.ts';

/** How the driver reports commits, and waits for them. */
export interface CommitHooks {
  /** Called before the commit of each transaction. If it throws, the transaction is rolled back. */
  beforeCommit(): void;
  /** Called after each commit that changed something. */
  onCommit(): void;
  /** Called before each use of the connection. @throws AtelierError if it must not be used any more */
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

/**
 * Releases the connection before it waits for the sync: others commit meanwhile and share the next sync. Every user
 * waits, even one that only read, because its result may contain what another user has just committed.
 */
export class GroupCommitDriver extends SqliteDriver {
  readonly #hooks: CommitHooks;
  readonly #connection: Semaphore;
  #permit: Disposable | undefined;

  /** @param connection held during each use of the connection */
  constructor(config: SqliteDialectConfig, hooks: CommitHooks, connection: Semaphore) {
    super(config);
    this.#hooks = hooks;
    this.#connection = connection;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    this.#permit = await this.#connection.acquire();
    try {
      this.#hooks.assertUsable();
      return await super.acquireConnection();
    } catch (error) {
      this.#permit?.[Symbol.dispose]();
      throw error;
    }
  }

  override async releaseConnection(): Promise<void> {
    this.#permit?.[Symbol.dispose]();
    await this.#hooks.durable();
  }

  override async destroy(): Promise<void> {
    await this.#connection.run(async () => {}); // waits for the current transaction
    await this.#hooks.durable().catch(() => {}); // its users get the error
    await this.#hooks.close();
    await super.destroy();
  }
}
