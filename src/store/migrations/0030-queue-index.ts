/** Migration 30: an index in the order of the queue. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('jobs_by_rank').on('jobs').columns(['status', 'priority desc', 'id']).execute();
}
