/** How a job's status changes: every change here is one transaction with its event. */
import type { Transaction } from 'kysely';
import type { Progress } from '../domain/metrics.ts';
import { type JobStatus, type StopReason, type TrainingJob, transition } from '../domain/training-job.ts';
import type { ErrorCode } from '../errors.ts';
import { claimEvent, writeEvent } from './events.ts';
import { toJob } from './job-rows.ts';
import { decode, encode } from './json.ts';
import { deleteRecords } from './metrics.ts';
import { type NewVersion, publishVersion } from './model-versions.ts';
import type { Database, JobRow } from './tables.ts';

/** How a job ended; `step` is the number of steps done. */
export type JobOutcome =
  | {
      readonly status: 'succeeded';
      readonly step: number;
      readonly reason: Exclude<StopReason, 'cancelled' | 'failed'>;
      readonly model: NewVersion;
    }
  | {
      readonly status: 'failed';
      readonly step: number;
      readonly error: { readonly code: ErrorCode; readonly message: string };
    }
  | { readonly status: 'cancelled'; readonly step: number };

type Change = Partial<JobRow> & { status: JobStatus };

/** @throws AtelierError `training-job-not-found`, `illegal-transition` */
async function change(
  trx: Transaction<Database>,
  id: string,
  decide: (job: JobRow) => Change,
): Promise<TrainingJob> {
  const before = await claimEvent(trx, id);
  const after = decide(before);
  await writeEvent(trx, before, 'status', {
    from: before.status,
    to: transition(before.status, after.status),
  });
  return update(trx, id, after);
}

async function update(trx: Transaction<Database>, id: string, values: Partial<JobRow>): Promise<TrainingJob> {
  const row = await trx
    .updateTable('jobs')
    .set(values)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return toJob(row);
}

/** An attempt begins from nothing, so nothing of an interrupted one may show. */
export async function startJob(trx: Transaction<Database>, id: string): Promise<TrainingJob> {
  await deleteRecords(trx, id);
  return change(trx, id, (job) => ({
    status: 'running',
    started_at: new Date().toISOString(),
    attempts: job.attempts + 1,
    progress: encode(restarted(decode<Progress>(job.progress))),
    latest: null,
    best: null,
    gradient_check: null,
  }));
}

function restarted({ epochs, steps }: Progress): Progress {
  return { epoch: 0, epochs, step: 0, steps, fraction: 0, imagesPerSecond: null, etaSeconds: null };
}

export function requestCancel(trx: Transaction<Database>, id: string): Promise<TrainingJob> {
  return change(trx, id, (job) =>
    job.status === 'queued' ? ended('cancelled', 0, 'cancelled') : { status: 'cancelling' },
  );
}

export function requeueJob(trx: Transaction<Database>, id: string): Promise<TrainingJob> {
  return change(trx, id, () => ({ status: 'queued' }));
}

export async function requeueInterrupted(trx: Transaction<Database>): Promise<TrainingJob[]> {
  const interrupted = await trx
    .selectFrom('jobs')
    .select('id')
    .where('status', 'in', ['running', 'cancelling'])
    .orderBy('id')
    .execute();
  const jobs: TrainingJob[] = [];
  for (const { id } of interrupted) {
    jobs.push(
      await change(trx, id, (job) =>
        job.status === 'running'
          ? { status: 'queued' }
          : ended('cancelled', decode<Progress>(job.progress).step, 'cancelled'),
      ),
    );
  }
  return jobs;
}

export async function finishJob(
  trx: Transaction<Database>,
  id: string,
  outcome: JobOutcome,
): Promise<TrainingJob> {
  switch (outcome.status) {
    case 'succeeded': {
      const { digest } = outcome.model;
      const job = await change(trx, id, () => ({
        ...ended('succeeded', outcome.step, outcome.reason),
        digest,
      }));
      const version = await publishVersion(trx, { ...outcome.model, name: job.modelName, jobId: id });
      return update(trx, id, { model_version: version });
    }
    case 'failed': {
      const { code, message } = outcome.error;
      // Before the status: who follows the events until the job has ended must have seen why.
      await writeEvent(trx, await claimEvent(trx, id), 'error', { code, message });
      return change(trx, id, () => ({
        ...ended('failed', outcome.step, 'failed'),
        error_code: code,
        error_message: message,
      }));
    }
    case 'cancelled':
      return change(trx, id, () => ended('cancelled', outcome.step, 'cancelled'));
  }
}

function ended(status: JobStatus, step: number, reason: StopReason): Change {
  return {
    status,
    finished_at: new Date().toISOString(),
    stopped_step: step,
    stopped_reason: reason,
  };
}
