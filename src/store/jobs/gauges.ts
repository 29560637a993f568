/** Counts of the jobs that have not ended and of webhooks to be sent, for metrics. */
import type { Kysely } from 'kysely';
import { decodeTime } from 'ulid';
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import { type JobStatus, UNFINISHED_STATUSES } from '../../domain/jobs/status.ts';
import type { PredictionStatus } from '../../domain/predictions/job.ts';
import { decodeReadable } from '../database/json-column.ts';
import type { Database } from '../database/tables.ts';
import { countPredictions } from '../predictions/repository.ts';
import { countPendingWebhooks } from '../webhooks/outbox.ts';

export interface JobGauges {
  /** Number of jobs by status, without statuses that no job has. */
  readonly counts: ReadonlyMap<JobStatus, number>;
  /** When the oldest queued job was created, in milliseconds since the Unix epoch; null if no job is queued. */
  readonly oldestQueuedAt: number | null;
  /** The speed of all running jobs together. */
  readonly imagesPerSecond: number;
  /** Number of unfinished prediction jobs by status, without statuses that no job has. */
  readonly predictions: ReadonlyMap<PredictionStatus, number>;
  /** Number of webhooks to be sent. */
  readonly pendingWebhooks: number;
}

export type ReadJobGauges = () => Promise<JobGauges>;

const ID_PREFIX_CHARS = 'job_'.length;

/** The counts need the index of statuses only; ended jobs are not read. */
export const createReadJobGauges =
  (db: Kysely<Database>): ReadJobGauges =>
  async () => {
    const counts = await db
      .selectFrom('jobs')
      .select(({ fn }) => ['status', fn.countAll().as('jobs'), fn.min('id').as('oldest')])
      .where('status', 'in', UNFINISHED_STATUSES)
      .groupBy('status')
      .execute();
    const running = await db.selectFrom('jobs').select('progress').where('status', '=', 'running').execute();
    const queued = counts.find(({ status }) => status === 'queued');
    return {
      counts: new Map(counts.map(({ status, jobs }) => [status, Number(jobs)])),
      // An id is a ULID and begins with the time of its job's creation.
      oldestQueuedAt: queued === undefined ? null : decodeTime(queued.oldest.slice(ID_PREFIX_CHARS)),
      predictions: await countPredictions(db),
      pendingWebhooks: await countPendingWebhooks(db),
      // A damaged row counts as 0: the job fails when it is read.
      imagesPerSecond: running.reduce(
        (sum, { progress }) => sum + (decodeReadable<Progress>(progress)?.imagesPerSecond ?? 0),
        0,
      ),
    };
  };
