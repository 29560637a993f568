/** Migration 24: webhooks that report the end of a job, and the state of their delivery. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('notify', 'text').execute();
  await db.schema
    .createTable('webhooks')
    .addColumn('job_id', 'text', (column) => column.primaryKey().references('jobs.id').onDelete('cascade'))
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('message_id', 'text')
    .addColumn('body', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('due_at', 'text')
    .execute();
  await db.schema.createIndex('webhooks_due').on('webhooks').column('due_at').execute();
}
