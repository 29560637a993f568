/** Kysely dialect for node:sqlite. */
import type { DatabaseSync } from 'node:sqlite';
import {
  type Dialect,
  type Driver,
  type Kysely,
  type SelectModifierNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { createSemaphore, type Semaphore } from '../../concurrency/semaphore.ts';
import { type CommitHooks, createDriver, SYNCED_BY_SQLITE } from './driver.ts';

/**
 * Statements throw AtelierError `storage-full` or `state-unusable` if the disk fails.
 * @param turns held during each use of the connection
 */
export function createDialect(
  raw: DatabaseSync,
  hooks: CommitHooks = SYNCED_BY_SQLITE,
  turns: Semaphore = createSemaphore(1),
): Dialect {
  return {
    createAdapter: () => new Adapter(),
    createDriver: (): Driver => createDriver(raw, hooks, turns),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new QueryCompiler(),
  };
}

class Adapter extends SqliteAdapter {
  /** SQLite can roll back DDL. Without this, a migration that is killed midway would block every later start. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  /** The driver has sessions that take turns. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class QueryCompiler extends SqliteQueryCompiler {
  /** SQLite has no locks of rows and needs none: transactions take turns. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier !== 'ForNoKeyUpdate') super.visitSelectModifier(node);
  }
}
