/** Migration 15, PostgreSQL only: calls that replicas have leased of the rate limits. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('limits')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('window_start', 'timestamptz', (column) => column.notNull())
    .addColumn('used', 'integer', (column) => column.notNull())
    .addColumn('leased', 'integer', (column) => column.notNull())
    .execute();
}
