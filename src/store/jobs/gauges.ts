/** Counts of the jobs that have not ended and of webhooks to be sent, for metrics. */
import type { Kysely } from 'kysely';
import { decodeTime } from 'ulid';
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import { UNFINISHED_STATUSES } from '../../domain/jobs/status.ts';
import { decodeReadable } from '../database/json-column.ts';
import type { Database } from '../database/tables.ts';
import { countPredictions } from '../predictions/repository.ts';
import { countPendingWebhooks } from '../webhooks/outbox.ts';

export type ReadJobGauges = ReturnType<typeof createReadJobGauges>;
export type JobGauges = Awaited<ReturnType<ReadJobGauges>>;

const ID_PREFIX_CHARS = 'job_'.length;

/** The counts need the index of statuses only; ended jobs are not read. */
export function createReadJobGauges(db: Kysely<Database>) {
  return async () => {
    const counts = await db
      .selectFrom('jobs')
      .select(({ fn }) => ['status', fn.countAll().as('jobs'), fn.min('id').as('oldest')])
      .where('status', 'in', UNFINISHED_STATUSES)
      .groupBy('status')
      .execute();
    const running = await db.selectFrom('jobs').select('progress').where('status', '=', 'running').execute();
    const queued = counts.find(({ status }) => status === 'queued');
    return {
      /** Number of jobs by status, without statuses that no job has. */
      counts: new Map(counts.map(({ status, jobs }) => [status, Number(jobs)])),
      /** When the oldest queued job was created, in milliseconds since the Unix epoch, by its ULID; null if none is queued. */
      oldestQueuedAt: queued === undefined ? null : decodeTime(queued.oldest.slice(ID_PREFIX_CHARS)),
      /** Number of unfinished prediction jobs by status, without statuses that no job has. */
      predictions: await countPredictions(db),
      /** Number of webhooks to be sent. */
      pendingWebhooks: await countPendingWebhooks(db),
      /** The speed of all running jobs together. A damaged row counts as 0: the job fails when it is read. */
      imagesPerSecond: running.reduce(
        (sum, { progress }) => sum + (decodeReadable<Progress>(progress)?.imagesPerSecond ?? 0),
        0,
      ),
    };
  };
}
