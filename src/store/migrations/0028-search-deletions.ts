/** Migration 28: searches whose deletion has begun, to finish it after an interruption. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  const alter = db.schema.alterTable('searches');
  await alter.addColumn('deleting', 'integer', (column) => column.notNull().defaultTo(0)).execute();
}
