/** Migration 19: the index by which the labels of a deleted job are found. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('job_labels_by_job').on('job_labels').column('job_id').execute();
}
