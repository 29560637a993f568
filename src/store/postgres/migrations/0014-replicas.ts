/** Migration 14, PostgreSQL only: the processes that share the database, and what they must read again. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('replicas')
    .addColumn('id', sql`text collate "C"`, (column) => column.primaryKey())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('slots', 'integer', (column) => column.notNull())
    .addColumn('job_bytes', 'bigint', (column) => column.notNull())
    .addColumn('kernel', 'text', (column) => column.notNull())
    .addColumn('fused', 'integer', (column) => column.notNull())
    .addColumn('heard', 'bigint', (column) => column.notNull())
    // By the clock of the database, because those of the replicas differ.
    .addColumn('beat_at', 'timestamptz', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('changes')
    .addColumn('kind', sql`text collate "C"`, (column) => column.primaryKey())
    .addColumn('number', 'bigint', (column) => column.notNull())
    .execute();
  // A counter in a row instead of a sequence: its lock makes numbers visible in ascending order.
  await sql`insert into changes (kind, number) values ('models', 0), ('datasets', 0), ('keys', 0)`.execute(
    db,
  );
  // A trigger, so no writer of events can forget to notify.
  await sql`
    create function notify_event() returns trigger language plpgsql as $$
    begin
      perform pg_notify('atelier', 'event ' || new.job_id);
      return null;
    end $$`.execute(db);
  await sql`
    create trigger event_written after insert on events
    for each row execute function notify_event()`.execute(db);
}
