/** Changes of a job's status, each in one transaction with its event. */
import type { Transaction } from 'kysely';
import type { Progress } from '../domain/epoch-record.ts';
import type { ExecutionEnvironment } from '../domain/reproducibility.ts';
import {
  ACTIVE_STATUSES,
  isEnded,
  type JobStatus,
  type ResolvedTrainingRequest,
  type StopReason,
  type TrainingJob,
  transition,
} from '../domain/training-job.ts';
import { AtelierError, type ErrorCode } from '../errors.ts';
import { failDamagedJob, toReadableJob } from './damaged-jobs.ts';
import { lockForEvent, writeEvent } from './events.ts';
import { toJob, toVerification } from './job-rows.ts';
import { decode, encode } from './json-column.ts';
import { type NewVersion, publishVersion } from './model-versions.ts';
import type { Database, JobRow } from './tables.ts';
import { timestamp } from './timestamps.ts';

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
    };

type Failure = Extract<JobOutcome, { status: 'failed' }>;
type Change = Partial<JobRow> & { status: JobStatus };

/** Attempts allowed between two checkpoints. */
export const MAX_ATTEMPTS = 3;
/** Unclean ends of the process, without a checkpoint or an epoch in between, after which a job runs alone. */
export const SOLITARY_AFTER_UNCLEAN_ENDS = 2;
/** Unclean ends after which a job is left paused. */
export const MAX_UNCLEAN_ENDS = 5;

/** @throws AtelierError `training-job-not-found`, `illegal-transition` */
async function change(
  trx: Transaction<Database>,
  id: string,
  decide: (job: JobRow) => Change,
): Promise<TrainingJob> {
  const before = await lockForEvent(trx, id);
  const after = decide(before);
  const to = transition(before.status, after.status);
  const verification = isEnded(to) ? toVerification({ ...before, ...after }) : null;
  // The row is updated first, because listeners of the event receive the job in its new state.
  const job = await update(trx, id, { waiting: null, pause_reason: null, ...after });
  await writeEvent(trx, before, 'status', { from: before.status, to, ...(verification && { verification }) });
  return job;
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

/**
 * Starts a queued job. If its row is damaged, fails it and returns null. The records of an interrupted run are kept:
 * the next run continues from a checkpoint, or repeats the same measurements. `started_at` is the start of the first
 * run.
 * @throws AtelierError `training-job-not-found`, `illegal-transition`
 */
export async function startJob(
  trx: Transaction<Database>,
  id: string,
  detectEnvironment: (request: ResolvedTrainingRequest) => ExecutionEnvironment | null,
): Promise<TrainingJob | null> {
  const row = await trx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
  if (row?.status === 'queued' && !toReadableJob(row)) {
    await failDamagedJob(trx, row);
    return null;
  }
  return change(trx, id, (job) => {
    const environment = detectEnvironment(decode<ResolvedTrainingRequest>(job.request));
    return {
      status: 'running',
      circumstances: environment && encode(environment),
      started_at: job.started_at ?? timestamp(job.created_at),
      attempts: Math.max(1, job.attempts),
    };
  });
}

export function requestCancel(trx: Transaction<Database>, id: string): Promise<TrainingJob> {
  return change(trx, id, (job) =>
    job.status === 'queued' || job.status === 'paused' ? cancelled(job) : { status: 'cancelling' },
  );
}

export function requestPause(trx: Transaction<Database>, id: string): Promise<TrainingJob> {
  return change(trx, id, ({ status }) => ({ status: status === 'queued' ? 'paused' : 'pausing' }));
}

export function resumeJob(trx: Transaction<Database>, id: string): Promise<TrainingJob> {
  return change(trx, id, ({ status, unclean_ends }) => {
    // A job that ended the process often still runs alone, but may do so a few times again.
    const uncleanEnds = Math.min(unclean_ends, SOLITARY_AFTER_UNCLEAN_ENDS);
    if (status === 'paused') return { status: 'queued', unclean_ends: uncleanEnds };
    throw new AtelierError(
      'illegal-transition',
      `A ${status} job cannot be resumed. Only paused jobs can be resumed.`,
    );
  });
}

/**
 * Completes a requested pause or cancellation, or requeues a running job, after the job's thread has ended.
 * @param step number of steps done; by default that of the stored progress
 */
export function releaseJob(trx: Transaction<Database>, id: string, step?: number): Promise<TrainingJob> {
  return change(trx, id, (job) => released(job, step));
}

function released(job: JobRow, step?: number): Change {
  if (job.status === 'pausing') return { status: 'paused' };
  return job.status === 'cancelling' ? cancelled(job, step) : { status: 'queued' };
}

/** Sets `waiting` of a queued job, with an event that holds the reason. Does nothing if the job already waits. */
export async function holdForMemory(trx: Transaction<Database>, id: string, message: string): Promise<void> {
  const job = await trx
    .updateTable('jobs')
    .set((eb) => ({ waiting: 'memory', event_count: eb('event_count', '+', 1) }))
    .where('id', '=', id)
    .where('status', '=', 'queued')
    .where('waiting', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (job) await writeEvent(trx, job, 'warning', { code: 'waiting-for-memory', message });
}

export async function recoverInterrupted(trx: Transaction<Database>): Promise<TrainingJob[]> {
  await trx.updateTable('jobs').set({ waiting: null }).where('status', '=', 'queued').execute();
  const interrupted = await trx
    .selectFrom('jobs')
    .selectAll()
    .where('status', 'in', [...ACTIVE_STATUSES])
    .orderBy('id')
    .execute();
  const jobs: TrainingJob[] = [];
  for (const row of interrupted) {
    if (toReadableJob(row)) jobs.push(await recover(trx, row));
    else await failDamagedJob(trx, row);
  }
  return jobs;
}

/** Releases a job of a killed process. A job during which the process has ended too often is paused. */
async function recover(trx: Transaction<Database>, { id, unclean_ends }: JobRow): Promise<TrainingJob> {
  const uncleanEnds = unclean_ends + 1;
  await update(trx, id, { unclean_ends: uncleanEnds });
  const job = await releaseJob(trx, id);
  if (job.status !== 'queued' || uncleanEnds < MAX_UNCLEAN_ENDS) return job;
  const reason =
    `The process ended ${uncleanEnds} times without a shutdown while this job was active and stored neither a checkpoint ` +
    'nor an epoch, probably because memory ran out. Give the service more memory or start a smaller job; `resume` tries again.';
  await writeEvent(trx, await lockForEvent(trx, id), 'warning', {
    code: 'paused-by-service',
    message: reason,
  });
  return change(trx, id, () => ({ status: 'paused', pause_reason: reason }));
}

/**
 * Requeues a running job whose thread failed, to continue from its last checkpoint; fails it if no attempt is left.
 * Completes a requested pause or cancellation instead.
 */
export async function requeueJob(
  trx: Transaction<Database>,
  id: string,
  failure: Failure,
): Promise<TrainingJob> {
  const { code, message } = failure.error;
  const job = await lockForEvent(trx, id);
  if (job.status === 'running' && job.attempts >= MAX_ATTEMPTS) return failJob(trx, job, failure);
  await writeEvent(trx, job, 'warning', {
    code,
    message,
    advice: `Attempt ${job.attempts} of ${MAX_ATTEMPTS} failed; the next one continues from the last checkpoint.`,
  });
  return change(trx, id, (before) => ({ ...released(before, failure.step), attempts: before.attempts + 1 }));
}

export async function finishJob(
  trx: Transaction<Database>,
  id: string,
  outcome: JobOutcome,
): Promise<TrainingJob> {
  switch (outcome.status) {
    case 'succeeded': {
      const { digest } = outcome.model;
      const job = await change(trx, id, (before) => ({
        ...ended(before, 'succeeded', outcome.step, outcome.reason),
        digest,
      }));
      if (job.verification !== null) return job;
      const version = await publishVersion(trx, { ...outcome.model, name: job.modelName, jobId: id });
      return update(trx, id, { model_version: version });
    }
    case 'failed':
      return failJob(trx, await lockForEvent(trx, id), outcome);
  }
}

/** The event with the reason is written before the final status, so that followers of the events receive it. */
async function failJob(
  trx: Transaction<Database>,
  job: JobRow,
  { step, error: { code, message } }: Failure,
): Promise<TrainingJob> {
  await writeEvent(trx, job, 'error', { code, message });
  return change(trx, job.id, (before) => ({
    ...ended(before, 'failed', step, 'failed'),
    error_code: code,
    error_message: message,
  }));
}

function cancelled(job: JobRow, step = decode<Progress>(job.progress).step): Change {
  return ended(job, 'cancelled', step, 'cancelled');
}

function ended(job: JobRow, status: JobStatus, step: number, reason: StopReason): Change {
  return {
    status,
    finished_at: timestamp(job.started_at ?? job.created_at),
    stopped_step: step,
    stopped_reason: reason,
  };
}
