/** Migration 26: searches, their trials and events, and what a training job has to do with them. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('searches')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('plan', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('finished_at', 'text')
    .addColumn('pause_reason', 'text')
    .addColumn('finishing', 'integer', (column) => column.notNull())
    .addColumn('progress', 'text', (column) => column.notNull())
    .addColumn('best', 'text')
    .addColumn('final_job_id', 'text')
    .addColumn('model_version', 'integer')
    .addColumn('error_code', 'text')
    .addColumn('error_message', 'text')
    .addColumn('event_count', 'integer', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('searches_by_status').on('searches').columns(['status', 'id']).execute();
  await db.schema
    .createTable('trials')
    .addColumn('search_id', 'text', (column) => column.notNull().references('searches.id'))
    .addColumn('trial', 'integer', (column) => column.notNull())
    .addColumn('repeat', 'integer', (column) => column.notNull())
    .addColumn('setting', 'text', (column) => column.notNull())
    .addColumn('rung', 'integer', (column) => column.notNull())
    .addColumn('is_out', 'integer', (column) => column.notNull())
    .addColumn('job_id', 'text', (column) => column.unique())
    .addColumn('reported', 'text')
    .addPrimaryKeyConstraint('trials_key', ['search_id', 'trial', 'repeat'])
    .execute();
  await db.schema
    .createTable('search_events')
    .addColumn('search_id', 'text', (column) => column.notNull().references('searches.id'))
    .addColumn('id', 'integer', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('search_events_key', ['search_id', 'id'])
    .execute();
  for (const [name, type] of [
    ['search_id', 'text'],
    ['search_trial', 'integer'],
    ['stop_after_epoch', 'integer'],
    ['result_epoch', 'integer'],
  ] as const) {
    await db.schema.alterTable('jobs').addColumn(name, type).execute();
  }
  // The order of the queue: at equal priority, the jobs of searches come last.
  await sql`
    create index jobs_in_queue on jobs
    (status, (2 * priority + case when search_id is null then 1 else 0 end) desc, id)`.execute(db);
  await db.schema.createIndex('jobs_by_search').on('jobs').columns(['search_id', 'id']).execute();
}
