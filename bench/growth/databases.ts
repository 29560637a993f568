/** Connections that fill a database: without foreign keys and triggers, and without waiting for the disk. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import type { Database } from '../../src/store/database/tables.ts';
import { connectPostgres } from '../../src/store/postgres/connect.ts';
import { createPartitions, WEEK_MS } from '../../src/store/postgres/partitions.ts';
import { createDialect } from '../../src/store/sqlite/dialect.ts';
import { SPAN_MS } from './grow.ts';

/** Statements run in one transaction. */
type Fill = <T>(use: (db: Kysely<Database>) => Promise<T>) => Promise<T>;

/** The service must not run. */
export const fillSqlite =
  (state: string): Fill =>
  async (use) => {
    const raw = new DatabaseSync(join(state, 'atelier.sqlite'), { enableForeignKeyConstraints: false });
    raw.exec('pragma synchronous = off; pragma cache_size = -200000');
    const db = new Kysely<Database>({ dialect: createDialect(raw) });
    try {
      raw.exec('begin');
      const result = await use(db);
      raw.exec('commit');
      return result;
    } finally {
      await db.destroy();
    }
  };

/** Creates the partitions of the past weeks first, as a service that ran then has done. Ends with what autovacuum does. */
export const fillPostgres =
  (url: string): Fill =>
  async (use) => {
    const db = await connectPostgres({ url, poolSize: 1 });
    try {
      for (let at = Date.now() - SPAN_MS; at < Date.now(); at += WEEK_MS) {
        await createPartitions(db, new Date(at));
      }
      await sql`set session_replication_role = replica`.execute(db);
      const result = await use(db);
      // Otherwise the last rows are counted after the vacuum, as new ones, and autovacuum runs while reads are measured.
      await sql`select pg_stat_force_next_flush()`.execute(db);
      await sql`vacuum analyze`.execute(db);
      return result;
    } finally {
      await db.destroy();
    }
  };
