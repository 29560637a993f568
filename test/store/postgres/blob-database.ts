/** A database with the tables of blobs and those that refer to them. */
import type { TestContext } from 'node:test';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { migrations } from '../../../src/store/migrations/migrations.ts';
import { up } from '../../../src/store/postgres/migrations/0013-blobs.ts';
import type { Database } from '../../../src/store/tables.ts';
import { temporaryDatabase } from '../../postgres.ts';

/** @returns a connection pool of a new database, and one more for each call of `connect` */
export async function blobDatabase(t: TestContext) {
  const url = await temporaryDatabase(t);
  function connect(): Kysely<Database> {
    const pool = new pg.Pool({ connectionString: url, max: 4 });
    pool.on('error', () => {}); // the database is dropped before the pool is closed
    const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
    t.after(() => db.destroy());
    return db;
  }
  const db = connect();
  for (const migration of Object.values(migrations)) await migration.up(db);
  await up(db as Kysely<unknown>);
  return { db, connect };
}
