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
    .addColumn('made_by', sql`xid8`)
    .addColumn('made_to', 'text')
    .execute();
  await sql`insert into changes (kind, number) values ('models', 0), ('datasets', 0), ('keys', 0)`.execute(
    db,
  );
  await countChanges(db);
  await notifyOfJobs(db);
}

/** Notices are sent by triggers, so no writer can forget them. Their payload is a kind, and a number or the id of a job. */
async function countChanges(db: Kysely<unknown>): Promise<void> {
  // A counter in a row instead of a sequence: its lock makes numbers visible in ascending order. Consecutive changes of one
  // subject in one transaction count once.
  await sql`
    create function record_change() returns trigger language plpgsql as $$
    declare
      kind_changed constant text := tg_argv[0];
      subject text := '';
      counted bigint;
    begin
      if kind_changed = 'models' then
        if tg_op = 'DELETE' then subject := old.name; else subject := new.name; end if;
      end if;
      update atelier.changes set number = number + 1, made_by = pg_current_xact_id(), made_to = subject
      where kind = kind_changed and (made_by, made_to) is distinct from (pg_current_xact_id(), subject)
      returning number into counted;
      if found then perform pg_notify('atelier', rtrim(kind_changed || ' ' || counted || ' ' || subject)); end if;
      return null;
    end $$`.execute(db);
  // Deferred, so the counter is locked last and briefly.
  for (const [table, kind] of [
    ['aliases', 'models'],
    ['model_versions', 'models'],
    ['datasets', 'datasets'],
    ['keys', 'keys'],
  ] as const) {
    await sql`
      create constraint trigger record_change after insert or update or delete on ${sql.table(table)}
      deferrable initially deferred for each row execute function record_change(${sql.lit(kind)})`.execute(
      db,
    );
  }
}

async function notifyOfJobs(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function notify_event() returns trigger language plpgsql as $$
    begin
      perform pg_notify('atelier', 'event ' || new.job_id);
      return null;
    end $$`.execute(db);
  await sql`
    create function notify_status() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and new.status = old.status then return null; end if;
      if new.status in ('pausing', 'cancelling') then
        perform pg_notify('atelier', 'job ' || new.id);
      elsif new.status in ('queued', 'paused', 'cancelled') then
        perform pg_notify('atelier', 'queue');
      end if;
      return null;
    end $$`.execute(db);
  // Triggers that name no columns, because those would fix the types of the columns.
  await sql`
    create trigger notify_event after insert on events for each row execute function notify_event()`.execute(
    db,
  );
  await sql`
    create trigger notify_status after insert or update on jobs for each row execute function notify_status()`.execute(
    db,
  );
}
