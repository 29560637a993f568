/** Migration 12, PostgreSQL only: wide integers, partitions, the key of the first start, and compatible releases. */
import { type Kysely, sql } from 'kysely';
import { createFirstPartitions } from '../partitions.ts';

/** Numbers of steps and bytes, and numbers that requests name, which may be any up to 2^53. */
const WIDE = [
  ['jobs', 'stopped_step'],
  ['jobs', 'warm_start_version'],
  ['checkpoints', 'step'],
  ['checkpoints', 'bytes'],
  ['model_versions', 'version'],
  ['aliases', 'version'],
  ['alias_moves', 'id'],
] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [table, column] of WIDE) {
    await db.schema
      .alterTable(table)
      .alterColumn(column, (change) => change.setDataType('bigint'))
      .execute();
  }
  await partition(db);
  await db.schema
    .createTable('keys')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('key', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('compatibility')
    .addColumn('id', 'integer', (column) => column.primaryKey().check(sql`id = 1`))
    .addColumn('oldest_release', 'text', (column) => column.notNull())
    .execute();
  await db
    .withTables<{ compatibility: { id: number; oldest_release: string } }>()
    .insertInto('compatibility')
    .values({ id: 1, oldest_release: '0012-postgres' })
    .execute();
}

/** A table cannot become partitioned; here it is still empty. A job's rows are deleted with its partition, not one by one. */
async function partition(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('events').execute();
  await db.schema.dropTable('metrics').execute();
  await sql`
    create table events (
      job_id text collate "C" not null,
      id bigint not null,
      type text not null,
      at text not null,
      data text not null,
      constraint events_key primary key (job_id, id)
    ) partition by range (job_id)`.execute(db);
  await sql`
    create table metrics (
      job_id text collate "C" not null,
      epoch bigint not null,
      record text not null,
      constraint metrics_key primary key (job_id, epoch)
    ) partition by range (job_id)`.execute(db);
  await sql`create table events_default partition of events default`.execute(db);
  await sql`create table metrics_default partition of metrics default`.execute(db);
  await createFirstPartitions(db);
}
