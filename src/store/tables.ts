/**
 * The tables as Kysely sees them, the same on SQLite and PostgreSQL: text, integer and double only; times are
 * RFC 3339 text, structures JSON text. No booleans and no Date: node:sqlite stores NULL for one without a word.
 */
import type { Selectable } from 'kysely';
import type { ModelVersion } from '../domain/model.ts';
import type { EventType, JobStatus, StopReason } from '../domain/training-job.ts';

export interface Database {
  answers: AnswerTable;
  datasets: DatasetTable;
  jobs: JobTable;
  metrics: MetricTable;
  events: EventTable;
  checkpoints: CheckpointTable;
  models: ModelTable;
  model_versions: ModelVersionTable;
  aliases: AliasTable;
  alias_moves: AliasMoveTable;
}

/** First answers of requests that carry an Idempotency-Key. */
export interface AnswerTable {
  caller: string;
  key: string;
  /** SHA-256 of the request */
  fingerprint: string;
  created_at: string;
  status: number;
  location: string | null;
  content_type: string;
  body: string;
}

/** Uploaded ones. */
export interface DatasetTable {
  id: string;
  name: string | null;
  created_at: string;
  /** JSON */
  class_names: string;
  /** JSON of how many examples there are */
  splits: string;
  digest: string;
  /** JSON of what was found in the files */
  report: string;
}

export interface JobTable {
  id: string;
  status: JobStatus;
  /** JSON of the resolved request */
  request: string;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  attempts: number;
  /** JSON */
  progress: string;
  /** JSON of an epoch record */
  latest: string | null;
  /** JSON of an epoch record */
  best: string | null;
  model_version: number | null;
  stopped_step: number | null;
  stopped_reason: StopReason | null;
  /** JSON of the check before the start */
  gradient_check: string | null;
  digest: string | null;
  /** JSON of what its last run was computed by, on which data */
  circumstances: string | null;
  /** JSON of what it is held against, where it repeats another job */
  expectation: string | null;
  error_code: string | null;
  error_message: string | null;
  /** Id of the job's last event; raising it also locks the job's row where connections are many. */
  event_count: number;
}

export interface MetricTable {
  job_id: string;
  epoch: number;
  /** JSON of an epoch record */
  record: string;
}

export interface EventTable {
  job_id: string;
  id: number;
  type: EventType;
  at: string;
  /** JSON */
  data: string;
}

export interface CheckpointTable {
  job_id: string;
  /** Steps done */
  step: number;
  epoch: number;
  created_at: string;
  bytes: number;
  /** Of an epoch's end, that by which the best epoch is chosen; null within an epoch. */
  loss: number | null;
  digest: string;
}

/** Stays when its versions are deleted, for the numbers. */
export interface ModelTable {
  name: string;
  created_at: string;
  /** The highest number ever given; a deleted version's number must not come again for other parameters. */
  last_version: number;
  /** Id of the last move of one of its aliases. */
  alias_moves: number;
}

export interface ModelVersionTable {
  name: string;
  version: number;
  created_at: string;
  /** null for one that was imported. The job may be gone. */
  job_id: string | null;
  /** JSON of the job's resolved request */
  request: string | null;
  dataset_id: string | null;
  dataset_digest: string | null;
  /** JSON */
  layer_sizes: string;
  activation: ModelVersion['activation'];
  /** JSON */
  standardization: string | null;
  /** 0 or 1 */
  fused: number;
  /** JSON */
  class_names: string;
  engine: string | null;
  test_accuracy: number | null;
  digest: string;
  /** JSON of what is known of the file, where it came from one */
  imported: string | null;
  description: string | null;
  /** JSON */
  metadata: string;
  /** JSON */
  tags: string;
}

export interface AliasTable {
  name: string;
  alias: string;
  version: number;
  moved_at: string;
  /** Name of a key, or `anonymous` */
  moved_by: string;
}

export interface AliasMoveTable {
  name: string;
  /** Counts up within a model */
  id: number;
  alias: string;
  version: number | null;
  previous_version: number | null;
  at: string;
  caller: string;
}

export type DatasetRow = Selectable<DatasetTable>;
export type JobRow = Selectable<JobTable>;
export type CheckpointRow = Selectable<CheckpointTable>;
export type ModelVersionRow = Selectable<ModelVersionTable>;
export type AliasRow = Selectable<AliasTable>;
