/** Migration 1: jobs, metrics, events and model versions. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text')
    .addColumn('finished_at', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('progress', 'text', (column) => column.notNull())
    .addColumn('latest', 'text')
    .addColumn('best', 'text')
    .addColumn('model_version', 'integer')
    .addColumn('stopped_step', 'integer')
    .addColumn('stopped_reason', 'text')
    .addColumn('digest', 'text')
    .addColumn('error_code', 'text')
    .addColumn('error_message', 'text')
    .addColumn('event_count', 'integer', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('jobs_by_status').on('jobs').columns(['status', 'id']).execute();

  await db.schema
    .createTable('metrics')
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id'))
    .addColumn('epoch', 'integer', (column) => column.notNull())
    .addColumn('record', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('metrics_key', ['job_id', 'epoch'])
    .execute();

  await db.schema
    .createTable('events')
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id'))
    .addColumn('id', 'integer', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('events_key', ['job_id', 'id'])
    .execute();

  await db.schema
    .createTable('models')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('last_version', 'integer', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('models_by_creation').on('models').columns(['created_at', 'name']).execute();

  await db.schema
    .createTable('model_versions')
    .addColumn('name', 'text', (column) => column.notNull().references('models.name'))
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('job_id', 'text', (column) => column.references('jobs.id'))
    .addColumn('dataset_id', 'text', (column) => column.notNull())
    .addColumn('dataset_digest', 'text', (column) => column.notNull())
    .addColumn('layer_sizes', 'text', (column) => column.notNull())
    .addColumn('activation', 'text', (column) => column.notNull())
    .addColumn('class_names', 'text', (column) => column.notNull())
    .addColumn('engine', 'text', (column) => column.notNull())
    .addColumn('test_accuracy', 'double precision')
    .addColumn('digest', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('model_versions_key', ['name', 'version'])
    .execute();
}
