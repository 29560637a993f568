/** Migration 23: prediction jobs, and the blobs that they read and write. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('prediction_jobs')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('model_name', 'text', (column) => column.notNull())
    .addColumn('model_version', 'integer', (column) => column.notNull())
    .addColumn('class_names', 'text', (column) => column.notNull())
    .addColumn('dataset_id', 'text')
    .addColumn('split', 'text')
    .addColumn('pixels', 'text')
    .addColumn('images', 'integer', (column) => column.notNull())
    .addColumn('done', 'integer', (column) => column.notNull())
    .addColumn('classes', 'text')
    .addColumn('correct', 'integer')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text')
    .addColumn('finished_at', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('unclean_ends', 'integer', (column) => column.notNull())
    .addColumn('run', 'integer', (column) => column.notNull())
    .addColumn('runner', 'text')
    .addColumn('error_code', 'text')
    .addColumn('error_message', 'text')
    .execute();
  await db.schema
    .createIndex('prediction_jobs_by_status')
    .on('prediction_jobs')
    .columns(['status', 'id'])
    .execute();
  await db.schema
    .createTable('prediction_files')
    .addColumn('job_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('prediction_files_key', ['job_id', 'kind'])
    .execute();
  await db.schema.createIndex('prediction_files_by_digest').on('prediction_files').column('digest').execute();
}
