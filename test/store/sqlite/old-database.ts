/** Databases as earlier versions left them. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from '../../../src/store/migrations/all.ts';
import { NodeSqliteDialect } from '../../../src/store/sqlite/dialect.ts';

export type Insert = (table: string, row: Record<string, string | number | null>) => void;

/**
 * @param lastMigration name of the last migration that the earlier version had
 * @param fill inserts the rows
 */
export async function writeOldDatabase(
  file: string,
  lastMigration: string,
  fill: (insert: Insert, raw: DatabaseSync) => void,
): Promise<void> {
  const raw = new DatabaseSync(file);
  const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(raw) });
  const provider = { getMigrations: async () => ({ ...migrations }) };
  const { error } = await new Migrator({ db, provider }).migrateTo(lastMigration);
  assert.equal(error, undefined);
  const insert: Insert = (table, row) => {
    const columns = Object.keys(row);
    const places = columns.map(() => '?').join(', ');
    raw.prepare(`insert into ${table} (${columns.join(', ')}) values (${places})`).run(...Object.values(row));
  };
  fill(insert, raw);
  await db.destroy();
}
