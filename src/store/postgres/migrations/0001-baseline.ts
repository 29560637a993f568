/** Migration 1 on PostgreSQL: the portable tables, and tables of processes that share a database. */
import type { Kysely } from 'kysely';
import { createTables, execute } from '../../migrations/0001-baseline.ts';
import { createFirstPartitions } from '../partitions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTables(db);
  await execute(db, [...REPORTS, ...BLOBS, ...SHARED, ...NOTICES]);
  await createFirstPartitions(db);
}

/** Rows of old jobs are deleted with their partition, not one by one. The key of partitions sets its collation itself. */
const REPORTS = [
  `create table metrics (
    job_id text collate "C" not null,
    epoch bigint not null,
    record text not null,
    primary key (job_id, epoch)
  ) partition by range (job_id)`,
  `create table events (
    job_id text collate "C" not null,
    id bigint not null,
    type text not null, at text not null, data text not null,
    primary key (job_id, id)
  ) partition by range (job_id)`,
  'create table metrics_default partition of metrics default',
  'create table events_default partition of events default',
];

/** Blobs, in chunks unless they are in a bucket. Rows that refer to a blob lock it, because the references are foreign keys. */
const BLOBS = [
  // `whole` is false while a blob is stored in several transactions; such a blob cannot be read.
  `create table blobs (
    digest text primary key,
    bytes bigint not null,
    whole boolean not null,
    created_at timestamptz not null default now()
  )`,
  `create table blob_chunks (
    digest text not null references blobs (digest) on delete cascade,
    n integer not null,
    bytes bytea not null,
    primary key (digest, n)
  )`,
  // Without compression, because parameters and checkpoints do not compress.
  'alter table blob_chunks alter column bytes set storage external',
  'create index datasets_by_digest on datasets (digest)',
  ...['model_versions', 'checkpoints', 'datasets', 'prediction_files'].map(
    (table) =>
      `alter table ${table} add constraint ${table}_blob foreign key (digest) references blobs (digest)`,
  ),
];

/** State that processes share. Times are `timestamptz` by the clock of the database, because the clocks of processes differ. */
const SHARED = [
  `create table replicas (
    id text primary key,
    role text not null,
    slots integer not null,
    job_bytes bigint not null,
    kernel text not null,
    fused integer not null,
    heard bigint not null,
    beat_at timestamptz not null
  )`,
  `create table limits (
    key text primary key,
    window_start timestamptz not null,
    used integer not null,
    leased integer not null
  )`,
  'create table keys (name text primary key, key text not null)',
  // One row: the migration that a process must know to use the database. A migration that does more than add sets it.
  'create table compatibility (id integer primary key check (id = 1), oldest_release text not null)',
  `insert into compatibility values (1, '0001-baseline')`,
];

/**
 * Notices are sent by triggers, so no writer can forget them. Their payload is a kind, and a number or the id of a job.
 *
 * Changes of models, data sets and keys are counted in a row instead of a sequence, because its lock makes numbers visible in
 * ascending order. Consecutive changes of one subject in one transaction count once. The triggers that count are deferred, so
 * the row is locked last and briefly. Triggers name no columns, because that would fix the types of the columns.
 */
const NOTICES = [
  'create table changes (kind text primary key, number bigint not null, made_by xid8, made_to text)',
  `insert into changes (kind, number) values ('models', 0), ('datasets', 0), ('keys', 0)`,
  `create function record_change() returns trigger language plpgsql as $$
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
    end $$`,
  ...(
    [
      ['aliases', 'models'],
      ['model_versions', 'models'],
      ['datasets', 'datasets'],
      ['keys', 'keys'],
    ] as const
  ).map(
    ([table, kind]) =>
      `create constraint trigger record_change after insert or update or delete on ${table}
      deferrable initially deferred for each row execute function record_change('${kind}')`,
  ),
  // A deleted job counts as a change of the models, because its checkpoints are used like models.
  `create function record_deleted_job() returns trigger language plpgsql as $$
    declare
      counted bigint;
    begin
      perform pg_notify('atelier', 'event ' || old.id);
      update atelier.changes set number = number + 1, made_by = pg_current_xact_id(), made_to = old.id
      where kind = 'models' returning number into counted;
      perform pg_notify('atelier', 'models ' || counted || ' ' || old.id);
      return null;
    end $$`,
  `create constraint trigger record_deleted_job after delete on jobs
    deferrable initially deferred for each row execute function record_deleted_job()`,
  ...(
    [
      ['events', 'job_id'],
      ['search_events', 'search_id'],
    ] as const
  ).flatMap(([table, id]) => [
    `create function notify_of_${table}() returns trigger language plpgsql as $$
    begin
      perform pg_notify('atelier', 'event ' || new.${id});
      return null;
    end $$`,
    `create trigger notify after insert on ${table} for each row execute function notify_of_${table}()`,
  ]),
  `create function notify_status() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and new.status = old.status then return null; end if;
      if new.status in ('pausing', 'cancelling') then
        perform pg_notify('atelier', 'job ' || new.id);
      elsif new.status in ('queued', 'paused', 'cancelled') then
        perform pg_notify('atelier', 'queue');
      end if;
      return null;
    end $$`,
  'create trigger notify_status after insert or update on jobs for each row execute function notify_status()',
];
