/** Migration 17: what jobs are filtered by, in a table of its own with an index. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { labelJobs } from '../jobs/labels.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('job_labels')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('job_labels_key', ['name', 'value', 'job_id'])
    .execute();
  await db.schema
    .alterTable('jobs')
    .addColumn('labelled', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await sql`create index jobs_unlabelled on jobs (id) where labelled = 0`.execute(db);
  while ((await labelJobs(db as Kysely<Database>)) > 0);
}
