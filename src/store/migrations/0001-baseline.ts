/** Migration 1: the tables of 0.1.0, for both databases. `database/tables.ts` describes their columns. */
import { type Kysely, sql } from 'kysely';

/**
 * The types mean the same in both databases. `bigint` holds what may exceed 2^31 in PostgreSQL: steps, bytes, and numbers
 * that a client may name. SQLite stores every integer in up to 8 bytes.
 */
const TABLES = [
  // A row stays when all versions of the model are deleted, so that their numbers are never reused.
  `create table models (
    name text primary key,
    created_at text not null,
    last_version integer not null,
    alias_moves integer not null
  )`,
  'create index models_by_creation on models (created_at, name)',

  // A version holds its own lineage instead of a foreign key to its job, because the job may be deleted.
  `create table model_versions (
    name text not null references models (name),
    version bigint not null,
    created_at text not null,
    job_id text, request text,
    dataset_id text, dataset_digest text,
    layer_sizes text not null, activation text not null,
    standardization text, preprocessing text,
    fused integer not null,
    class_names text not null,
    engine text,
    test_accuracy double precision,
    digest text not null,
    imported text, copied_from text,
    description text, metadata text not null, tags text not null,
    primary key (name, version)
  )`,
  'create index versions_by_digest on model_versions (digest)',

  `create table aliases (
    name text not null,
    alias text not null,
    version bigint not null,
    moved_at text not null, moved_by text not null,
    primary key (name, alias),
    foreign key (name, version) references model_versions (name, version)
  )`,

  // The history stays when aliases and versions are deleted.
  `create table alias_moves (
    name text not null references models (name),
    id bigint not null,
    alias text not null,
    version bigint, previous_version bigint,
    at text not null, caller text not null,
    promotion text,
    primary key (name, id)
  )`,

  `create table datasets (
    id text primary key,
    name text,
    created_at text not null,
    class_names text not null,
    splits text not null,
    digest text not null,
    report text not null,
    preprocessing text
  )`,

  // Without foreign keys, because a result remains revealed when everything that it names is deleted.
  `create table looks (
    dataset_digest text not null, split text not null,
    subject text not null, kind text not null,
    count integer not null,
    at text not null, caller text not null,
    primary key (dataset_digest, split, subject)
  )`,
  'create index looks_subject on looks (subject)',
  // Sums are computed from this index alone.
  'create index looks_counts on looks (dataset_digest, split, at, count)',

  `create table jobs (
    id text primary key,
    status text not null,
    request text not null,
    created_at text not null, started_at text, finished_at text,
    attempts integer not null,
    progress text not null, latest text, best text,
    model_version integer, publication text, result_epoch integer, digest text,
    stopped_step bigint, stopped_reason text,
    gradient_check text,
    circumstances text, expectation text, origin text, mixed integer not null default 0,
    error_code text, error_message text,
    waiting text, pause_reason text,
    unclean_ends integer not null default 0,
    run integer not null default 0, runner text,
    warm_start_name text, warm_start_version bigint,
    event_count integer not null,
    priority integer not null default 0, preemption text,
    notify text,
    search_id text, search_trial integer, stop_after_epoch integer
  )`,
  'create index jobs_by_status on jobs (status, id)',
  'create index jobs_by_search on jobs (search_id, id)',
  'create index jobs_by_warm_start on jobs (warm_start_name, warm_start_version)',
  // The order of the queue: at equal priority, the jobs of searches come last.
  `create index jobs_in_queue on jobs
    (status, (2 * priority + case when search_id is null then 1 else 0 end) desc, id)`,

  // The primary key is the index of filtered lists; the other index serves the deletion of a job.
  `create table job_labels (
    name text not null,
    value text not null,
    job_id text not null references jobs (id) on delete cascade,
    primary key (name, value, job_id)
  )`,
  'create index job_labels_by_job on job_labels (job_id)',

  `create table checkpoints (
    job_id text not null references jobs (id),
    step bigint not null, epoch integer not null,
    created_at text not null,
    bytes bigint not null,
    loss double precision,
    digest text not null,
    primary key (job_id, step)
  )`,
  'create index checkpoints_by_digest on checkpoints (digest)',

  // Apart from the jobs, because a row holds a secret and is deleted when nothing is left to send.
  `create table webhooks (
    job_id text primary key references jobs (id) on delete cascade,
    url text not null, secret text not null,
    message_id text, body text,
    attempts integer not null, due_at text
  )`,
  'create index webhooks_due on webhooks (due_at)',

  `create table searches (
    id text primary key,
    status text not null,
    request text not null, plan text not null,
    created_at text not null, finished_at text,
    pause_reason text,
    finishing integer not null, deleting integer not null,
    progress text not null, best text,
    final_job_id text, model_version integer, publication text,
    error_code text, error_message text,
    event_count integer not null
  )`,
  'create index searches_by_status on searches (status, id)',

  `create table trials (
    search_id text not null references searches (id),
    trial integer not null, repeat integer not null,
    setting text not null,
    rung integer not null, is_out integer not null,
    job_id text unique, reported text,
    state text, state_event integer,
    primary key (search_id, trial, repeat)
  )`,

  `create table search_events (
    search_id text not null references searches (id),
    id integer not null,
    type text not null, at text not null, data text not null,
    primary key (search_id, id)
  )`,

  `create table prediction_jobs (
    id text primary key,
    status text not null,
    model_name text not null, model_version integer not null, class_names text not null,
    dataset_id text, split text, pixels text,
    images integer not null, done integer not null,
    classes text, correct integer,
    created_at text not null, started_at text, finished_at text,
    attempts integer not null, unclean_ends integer not null,
    run integer not null, runner text,
    error_code text, error_message text
  )`,
  'create index prediction_jobs_by_status on prediction_jobs (status, id)',

  `create table prediction_files (
    job_id text not null, kind text not null,
    digest text not null,
    primary key (job_id, kind)
  )`,
  'create index prediction_files_by_digest on prediction_files (digest)',

  `create table answers (
    caller text not null, key text not null,
    fingerprint text not null,
    created_at text not null,
    status integer not null, location text, content_type text not null, body text not null,
    primary key (caller, key)
  )`,
  'create index answers_by_creation on answers (created_at)',

  'create table transfers (source text primary key, started_at text not null, finished_at text)',
];

/** Reports of jobs. In PostgreSQL, both tables are partitioned. */
const REPORTS = [
  `create table metrics (
    job_id text not null references jobs (id),
    epoch integer not null,
    record text not null,
    primary key (job_id, epoch)
  )`,
  `create table events (
    job_id text not null references jobs (id),
    id integer not null,
    type text not null, at text not null, data text not null,
    primary key (job_id, id)
  )`,
];

export const createTables = (db: Kysely<unknown>) => execute(db, TABLES);

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTables(db);
  await execute(db, REPORTS);
}

export async function execute(db: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
