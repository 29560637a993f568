/** Changes of a job's status, each in one transaction with its event. */
import type { Transaction } from 'kysely';
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import { isActive, isEnded, type JobStatus, transition } from '../../domain/jobs/status.ts';
import type { StopReason, TrainingJob } from '../../domain/jobs/training.ts';
import { listAlternatives } from '../../domain/messages/text-lists.ts';
import type { Publication } from '../../domain/training/publication.ts';
import { AtelierError } from '../../errors.ts';
import { decode, encode } from '../database/json-column.ts';
import type { Precondition } from '../database/rows.ts';
import type { Database, JobRow } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { queueMessage } from '../webhooks/messages.ts';
import { lockForEvent, type RunKey, readLastTime, writeEvent } from './events.ts';
import { lockActiveJob } from './progress.ts';
import { type StoredPreemption, toJob, toVerification, traceOf } from './rows.ts';

type Change = Partial<JobRow> & { status: JobStatus };
interface ChangeOptions {
  /** The condition of the client on the job before the change */
  readonly precondition?: Precondition<TrainingJob> | undefined;
  /** Id of the job for which a run was stopped, if this change queues its job */
  readonly preemptedBy?: string | undefined;
}

/** Unclean ends, without a checkpoint or an epoch in between, after which a job runs alone. */
export const SOLITARY_AFTER_UNCLEAN_ENDS = 2;

/**
 * Writes a change of status and its event.
 * @param key id of the job, or an active run of it
 * @throws AtelierError `training-job-not-found`, or for a run `lease-lost`; `illegal-transition`
 */
export async function change(
  trx: Transaction<Database>,
  key: string | RunKey,
  decide: (job: JobRow) => Change | Promise<Change>,
  { precondition, preemptedBy }: ChangeOptions = {},
): Promise<TrainingJob> {
  const before = await (typeof key === 'string' ? lockForEvent(trx, key) : lockActiveJob(trx, key));
  precondition?.(toJob(before));
  const after = await decide(before);
  const to = transition(before.status, after.status);
  const verification = isEnded(to) ? toVerification({ ...before, ...after }) : null;
  // A run that is asked to stop goes on waiting for storage.
  const waiting = isActive(before.status) && isActive(to) ? before.waiting : null;
  const preempted = to === 'queued' && preemptedBy !== undefined ? { preemptedBy } : null;
  // The row is updated before the event is written, because listeners of the event receive the job in its new state.
  const updated = await updateJob(trx, before.id, {
    waiting,
    pause_reason: null,
    preemption: preempted && encode(preempted satisfies StoredPreemption),
    ...(!isActive(to) && { runner: null }),
    ...after,
  });
  const withMessage = await queueMessage(trx, updated);
  await writeEvent(trx, before, 'status', {
    from: before.status,
    to,
    ...(before.waiting !== waiting && { waiting }),
    ...preempted,
    ...(verification && { verification }),
    ...(after.publication && { publication: decode<Publication>(after.publication) }),
    ...traceOf(before),
  });
  return toJob(withMessage);
}

function updateJob(trx: Transaction<Database>, id: string, values: Partial<JobRow>): Promise<JobRow> {
  return trx.updateTable('jobs').set(values).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

/** A change that a client requests. It throws AtelierError `illegal-transition` if the status of the job does not allow it. */
function createRequest(
  participle: string,
  allowed: readonly JobStatus[],
  decide: (job: JobRow) => Change,
): (
  trx: Transaction<Database>,
  id: string,
  precondition?: Precondition<TrainingJob>,
) => Promise<TrainingJob> {
  const decideIfAllowed = (job: JobRow): Change => {
    if (allowed.includes(job.status)) return decide(job);
    throw new AtelierError(
      'illegal-transition',
      `A ${job.status} job cannot be ${participle}. Only ${listAlternatives(allowed)} jobs can be ${participle}.`,
    );
  };
  return (trx, id, precondition) => change(trx, id, decideIfAllowed, { precondition });
}

export const requestCancel = createRequest('cancelled', ['queued', 'running', 'pausing', 'paused'], (job) =>
  job.status === 'queued' || job.status === 'paused' ? toCancelled(job) : { status: 'cancelling' },
);

export const requestPause = createRequest('paused', ['queued', 'running'], ({ status }) => ({
  status: status === 'queued' ? 'paused' : 'pausing',
}));

/** A job that ended the process often still runs alone, but may do so a few times again. */
export const resumeJob = createRequest('resumed', ['paused'], ({ unclean_ends }) => ({
  status: 'queued',
  unclean_ends: Math.min(unclean_ends, SOLITARY_AFTER_UNCLEAN_ENDS),
}));

/**
 * Completes a requested pause or cancellation, or requeues a running job, after the job's thread has ended.
 * @param step number of steps done; by default the number in the stored progress
 */
export function releaseJob(
  trx: Transaction<Database>,
  run: RunKey,
  step?: number,
  options: Pick<ChangeOptions, 'preemptedBy'> = {},
): Promise<TrainingJob> {
  return change(trx, run, (job) => toReleased(job, step), options);
}

/** @throws AtelierError `training-job-not-found`; `illegal-transition` if the job has ended */
export async function changePriority(
  trx: Transaction<Database>,
  id: string,
  priority: number,
  precondition?: Precondition<TrainingJob>,
): Promise<TrainingJob> {
  const before = await lockForEvent(trx, id);
  precondition?.(toJob(before));
  if (isEnded(before.status)) {
    throw new AtelierError(
      'illegal-transition',
      `The job is ${before.status}, so its priority cannot be changed. Only jobs that have not ended have a place in the queue.`,
    );
  }
  if (priority === before.priority) return toJob(before);
  const job = await updateJob(trx, id, { priority });
  await writeEvent(trx, before, 'priority', { from: before.priority, to: priority });
  return toJob(job);
}

/** Pauses a running trial that has reached its rung, or completes a requested pause or cancellation. */
export function pauseJobAtEpoch(trx: Transaction<Database>, run: RunKey, step: number): Promise<TrainingJob> {
  return change(trx, run, (job) => (job.status === 'running' ? { status: 'paused' } : toReleased(job, step)));
}

/** The change of a job whose run has left its thread. */
export function toReleased(job: JobRow, step?: number): Change {
  if (job.status === 'pausing') return { status: 'paused' };
  return job.status === 'cancelling' ? toCancelled(job, step) : { status: 'queued' };
}

/** Sets `waiting` of a queued job, with an event that holds the reason. Does nothing if the job is already waiting. */
export async function holdForMemory(trx: Transaction<Database>, id: string, message: string): Promise<void> {
  const job = await trx
    .updateTable('jobs')
    .set((eb) => ({ waiting: 'memory', event_count: eb('event_count', '+', 1) }))
    .where('id', '=', id)
    .where('status', '=', 'queued')
    .where('waiting', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (job === undefined) return;
  await readLastTime(trx, job);
  await writeEvent(trx, job, 'warning', { code: 'waiting-for-memory', message, waiting: 'memory' });
}

function toCancelled(job: JobRow, step = decode<Progress>(job.progress).step): Change {
  return toEnded(job, 'cancelled', step, 'cancelled');
}

export function toEnded(job: JobRow, status: JobStatus, step: number, reason: StopReason): Change {
  return {
    status,
    finished_at: timestamp(job.started_at ?? job.created_at),
    stopped_step: step,
    stopped_reason: reason,
  };
}
