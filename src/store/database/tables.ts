/**
 * Database tables as Kysely types, portable between SQLite and PostgreSQL.
 *
 * Columns are text, integer, bigint or double. Times are RFC 3339 text, structures are JSON text. Booleans and Date are
 * not used, because node:sqlite silently stores NULL for a Date.
 */
import type { Selectable } from 'kysely';
import type { SplitName } from '../../domain/datasets/representation.ts';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { EventType, JobWait, StopReason } from '../../domain/jobs/training.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import type { PredictionStatus } from '../../domain/predictions/job.ts';
import type { SearchEvent, SearchStatus } from '../../domain/searches/representation.ts';

/** Stands for the name of an API key in the columns of callers, for what jobs and deletions cause. */
export const SERVICE = 'service';

export interface Database {
  answers: AnswerTable;
  datasets: DatasetTable;
  jobs: JobTable;
  job_labels: JobLabelTable;
  metrics: MetricTable;
  events: EventTable;
  checkpoints: CheckpointTable;
  models: ModelTable;
  model_versions: ModelVersionTable;
  aliases: AliasTable;
  alias_moves: AliasMoveTable;
  looks: LookTable;
  test_splits: TestSplitTable;
  transfers: TransferTable;
  webhooks: WebhookTable;
  prediction_jobs: PredictionJobTable;
  prediction_files: PredictionFileTable;
  searches: SearchTable;
  trials: TrialTable;
  search_events: SearchEventTable;
}

/** Stored responses of requests with an Idempotency-Key. */
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

/** Uploaded data sets. */
export interface DatasetTable {
  id: string;
  name: string | null;
  created_at: string;
  /** JSON */
  image_shape: string;
  /** JSON */
  class_names: string;
  /** JSON of the number of examples per split */
  splits: string;
  digest: string;
  /** JSON of the upload report */
  report: string;
  /** JSON; null for arrays */
  preprocessing: string | null;
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
  /** JSON of the warnings of that epoch */
  warnings: string | null;
  /** JSON of an epoch record */
  best: string | null;
  model_version: number | null;
  stopped_step: number | null;
  stopped_reason: StopReason | null;
  /** JSON of the summary of the gradient check before the start */
  gradient_check: string | null;
  digest: string | null;
  /** JSON of the execution environment of the last run */
  circumstances: string | null;
  /** JSON of the reproduction target, if the job verifies another job */
  expectation: string | null;
  error_code: string | null;
  error_message: string | null;
  /** Resource besides a slot that the job is waiting for */
  waiting: JobWait | null;
  /** Reason for which the service paused the job; null if a client did */
  pause_reason: string | null;
  /** Times that the process ended without a shutdown while the job was active, since the last checkpoint or epoch */
  unclean_ends: number;
  /** Number of the current run, raised by each start and by the recovery of a lost run. It fences a runner's writes. */
  run: number;
  /** Id of the replica that runs the job; null if the job is not active, or in the only process of a SQLite database */
  runner: string | null;
  /** JSON of the kernel and `fused` of the run that stored the first checkpoint */
  origin: string | null;
  /** 1 if a run continued from a checkpoint in another environment than `origin`, else 0 */
  mixed: number;
  /** Version, or checkpoint of a job, that the job starts from */
  warm_start_name: string | null;
  warm_start_version: number | null;
  /** Id of the job's last event. Incrementing it also locks the job's row. */
  event_count: number;
  /** JSON of the publication of a succeeded job */
  publication: string | null;
  /** Decides with the creation which queued job starts next; larger ones first. Newer than the one in `request` */
  priority: number;
  /** JSON of the run of another job that was last stopped in favour of this one */
  preemption: string | null;
  /** Trace context of the request that created the job, as of W3C; null without one */
  traceparent: string | null;
  /** JSON of the state of the webhook's delivery; null without a webhook */
  notify: string | null;
  search_id: string | null;
  /** Number of the trial; null for the final training of a search, and without one */
  search_trial: number | null;
  /** Epoch at whose end a trial is paused, or the final training of a search ends; null for the last one */
  stop_after_epoch: number | null;
  /** The epoch whose parameters are the result of a succeeded job; else null */
  result_epoch: number | null;
}

/** Fields of the requests of jobs, for filters. */
export interface JobLabelTable {
  /** `modelName`, `dataset`, or `metadata.` and a key */
  name: string;
  value: string;
  job_id: string;
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
  /** At the end of an epoch, the loss that selects the best epoch; null within an epoch. */
  loss: number | null;
  digest: string;
}

/** Kept when all versions are deleted, so that version numbers are not reused. */
export interface ModelTable {
  name: string;
  created_at: string;
  /** The highest version number ever assigned. The number of a deleted version must not be reused. */
  last_version: number;
  /** Id of the last alias move of the model. */
  alias_moves: number;
}

export interface ModelVersionTable {
  name: string;
  version: number;
  created_at: string;
  /** null for an imported version. The job may have been deleted. */
  job_id: string | null;
  /** JSON of the job's resolved request */
  request: string | null;
  dataset_id: string | null;
  dataset_digest: string | null;
  /** JSON */
  input_shape: string;
  /** JSON */
  convolutions: string;
  norm: ModelVersion['norm'];
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
  /** JSON of the import origin, for an imported version */
  imported: string | null;
  description: string | null;
  /** JSON */
  metadata: string;
  /** JSON */
  tags: string;
  /** JSON; null if encoded images must have the input shape */
  preprocessing: string | null;
  /** JSON of the reference to the version that this one is a copy of */
  copied_from: string | null;
  /** JSON; null before the version is calibrated */
  calibration: string | null;
  /** Blob with the arrays of the calibration */
  calibration_digest: string | null;
}

export interface AliasTable {
  name: string;
  alias: string;
  version: number;
  moved_at: string;
  /** Name of an API key, or `anonymous` */
  moved_by: string;
}

export interface AliasMoveTable {
  name: string;
  /** Number of the move within the model */
  id: number;
  alias: string;
  version: number | null;
  previous_version: number | null;
  at: string;
  caller: string;
  /** JSON of the promotion, if publishing a version moved the alias */
  promotion: string | null;
}

/** Webhooks of jobs, until nothing is left to send. The job holds what clients see of them. */
export interface WebhookTable {
  job_id: string;
  url: string;
  /** `whsec_…` */
  secret: string;
  /** Id of the message to send, or null */
  message_id: string | null;
  /** JSON of the message */
  body: string | null;
  /** Number of attempts that were begun */
  attempts: number;
  /** When the message is sent next, or null */
  due_at: string | null;
}

/** Results of the epochs of a job, or of a version: measured once, evaluated, compared, imported, predicting a split, or calibrated. */
export type LookKind =
  | 'epochs'
  | 'final'
  | 'evaluation'
  | 'comparison'
  | 'import'
  | 'predictions'
  | 'calibration';

/** Results on test splits that were revealed. The rows stay when jobs, versions and data sets are deleted. */
export interface LookTable {
  dataset_digest: string;
  split: string;
  /** Id of a job, for its epochs, or a digest of everything that the predictions of a network depend on */
  subject: string;
  kind: LookKind;
  /** Epochs so far; 1 for other results, or 0 if the result is one of the epochs of a job */
  count: number;
  /** Time of the first result */
  at: string;
  /** Name of an API key, `anonymous` or `service` */
  caller: string;
}

/** The test split of each data set that was stored. The rows stay when data sets are deleted. */
interface TestSplitTable {
  dataset_digest: string;
  /** Digest of the pixels of the test split, and of how its labels group them */
  test_digest: string;
}

export interface SearchTable {
  id: string;
  status: SearchStatus;
  /** JSON of the resolved request */
  request: string;
  /** JSON of what follows from the request and the data set */
  plan: string;
  /** Trace context of the request that created the search; null without one */
  traceparent: string | null;
  created_at: string;
  finished_at: string | null;
  pause_reason: string | null;
  /** 1 if no further trial may start, else 0 */
  finishing: number;
  /** JSON */
  progress: string;
  /** JSON of the best trial */
  best: string | null;
  final_job_id: string | null;
  model_version: number | null;
  /** JSON of the publication of the final training */
  publication: string | null;
  error_code: string | null;
  error_message: string | null;
  /** Id of the last event. */
  event_count: number;
  /** 1 once its deletion has begun, else 0 */
  deleting: number;
}
/** Each training of each trial. */
export interface TrialTable {
  search_id: string;
  trial: number;
  repeat: number;
  /** JSON of the values, one for each variation */
  setting: string;
  /** Index of the rung that the trial trains towards */
  rung: number;
  /** 1 if the trial was stopped at a rung, else 0 */
  is_out: number;
  /** null until the training starts */
  job_id: string | null;
  /** The state that the last event of the training reported */
  reported: string | null;
  /** JSON of what decisions and leaderboards need of the job, as of its event `state_event`; null before the first copy */
  state: string | null;
  state_event: number | null;
}
export interface SearchEventTable {
  search_id: string;
  id: number;
  type: SearchEvent['type'];
  at: string;
  /** JSON */
  data: string;
}

/** Transfers of a whole state into this database. */
interface TransferTable {
  /** Digest of all rows of the source */
  source: string;
  started_at: string;
  /** null while rows may be missing */
  finished_at: string | null;
}

export interface PredictionJobTable {
  id: string;
  status: PredictionStatus;
  model_name: string;
  model_version: number;
  /** JSON */
  class_names: string;
  /** null for an uploaded file */
  dataset_id: string | null;
  split: SplitName | null;
  /** Range of the numbers of an uploaded file */
  pixels: '0-1' | '0-255' | null;
  /** Number of images */
  images: number;
  /** Number of images that the current run has predicted */
  done: number;
  /** JSON of the number of images by predicted class */
  classes: string | null;
  correct: number | null;
  /** null without sets of classes */
  coverage: number | null;
  /** Number of unsure predictions; null without a coverage */
  unsure: number | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  attempts: number;
  /** Why the service paused the job; null if a client did, or if the job is not paused */
  pause_reason: string | null;
  /** Times that the process ended without a shutdown during the job */
  unclean_ends: number;
  /** Number of the current run, raised by each start and by the recovery of a lost run. It fences a runner's writes. */
  run: number;
  /** Id of the replica that runs the job; null if the job is not running, or in the only process of a SQLite database */
  runner: string | null;
  error_code: string | null;
  error_message: string | null;
}

/** Blobs of prediction jobs: the uploaded array until the job has ended, then the result. */
export interface PredictionFileTable {
  job_id: string;
  kind: 'input' | 'probabilities' | 'labels' | 'judgements';
  digest: string;
}

export type PredictionJobRow = Selectable<PredictionJobTable>;
export type DatasetRow = Selectable<DatasetTable>;
export type JobRow = Selectable<JobTable>;
export type SearchRow = Selectable<SearchTable>;
export type TrialRow = Selectable<TrialTable>;
export type CheckpointRow = Selectable<CheckpointTable>;
export type ModelVersionRow = Selectable<ModelVersionTable>;
export type WebhookRow = Selectable<WebhookTable>;
export type AliasRow = Selectable<AliasTable>;
