/** Migration 23 on PostgreSQL: prediction jobs, whose files are blobs with a foreign key. */
import type { Kysely } from 'kysely';
import { up as createTables } from '../../migrations/0023-prediction-jobs.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTables(db);
  await db.schema
    .alterTable('prediction_files')
    .addForeignKeyConstraint('prediction_files_blob', ['digest'], 'blobs', ['digest'])
    .execute();
}
