/** Changes of a job's status, each in one transaction with its event. */
import type { Transaction } from 'kysely';
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import { isActive, isEnded, type JobStatus, transition } from '../../domain/jobs/status.ts';
import type { ResolvedTrainingRequest, StopReason, TrainingJob } from '../../domain/jobs/training.ts';
import { alternatives } from '../../domain/messages/alternatives.ts';
import type { Publication, PublishOptions } from '../../domain/training/publication.ts';
import { AtelierError, type ErrorCode } from '../../errors.ts';
import { decode, encode } from '../database/json-column.ts';
import type { Precondition } from '../database/rows.ts';
import type { Database, JobRow } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { type Judgement, promote } from '../models/promotion.ts';
import { type NewVersion, publishVersion } from '../models/versions.ts';
import { queueMessage } from '../webhooks/messages.ts';
import { lockForEvent, type RunKey, writeEvent } from './events.ts';
import { lockActiveJob } from './progress.ts';
import { type StoredPreemption, toJob, toVerification } from './rows.ts';

/** How a job ended; `step` is the number of steps done. */
export type JobOutcome =
  | {
      readonly status: 'succeeded';
      readonly step: number;
      readonly reason: Exclude<StopReason, 'cancelled' | 'failed'>;
      readonly model: NewVersion;
      /** The epoch whose parameters are the result. */
      readonly epoch?: number;
      /** By default a version is published, and promoted if it is the first. */
      readonly publish?: Publishing;
    }
  | {
      readonly status: 'failed';
      readonly step: number;
      readonly error: { readonly code: ErrorCode; readonly message: string };
    };

/** How the result of a training is published. */
export interface Publishing extends Pick<PublishOptions, 'promote'> {
  /** Reason why it is not published; null to publish it */
  readonly notLearned: string | null;
  readonly judgement: Judgement | null;
}

type Success = Extract<JobOutcome, { status: 'succeeded' }>;
type Failure = Extract<JobOutcome, { status: 'failed' }>;
type Change = Partial<JobRow> & { status: JobStatus };
/** Fields of a `status` event that the row does not hold. */
type Note = { readonly preemptedBy?: string | undefined };

/** Attempts allowed between two checkpoints. */
export const MAX_ATTEMPTS = 3;
/** Unclean ends of the process, without a checkpoint or an epoch in between, after which a job runs alone. */
export const SOLITARY_AFTER_UNCLEAN_ENDS = 2;
/** Unclean ends after which a job is left paused. */
export const MAX_UNCLEAN_ENDS = 5;

/**
 * Writes a change of status and its event.
 * @param key id of the job, or a run of it, which must be active
 * @param precondition of the client, on the job before the change
 * @throws AtelierError `training-job-not-found`, or for a run `lease-lost`; `illegal-transition`
 */
export async function change(
  trx: Transaction<Database>,
  key: string | RunKey,
  decide: (job: JobRow) => Change | Promise<Change>,
  precondition?: Precondition<TrainingJob>,
  { preemptedBy }: Note = {},
): Promise<TrainingJob> {
  const before = await (typeof key === 'string' ? lockForEvent(trx, key) : lockActiveJob(trx, key));
  precondition?.(toJob(before));
  const after = await decide(before);
  const to = transition(before.status, after.status);
  const verification = isEnded(to) ? toVerification({ ...before, ...after }) : null;
  // The row is updated first, because listeners of the event receive the job in its new state.
  const inactive = isActive(to) ? null : { runner: null };
  // A run that is asked to stop goes on waiting for storage.
  const waiting = isActive(before.status) && isActive(to) ? before.waiting : null;
  const preempted = to === 'queued' && preemptedBy !== undefined ? { preemptedBy } : null;
  const changed = await updateJob(trx, before.id, {
    waiting,
    pause_reason: null,
    preemption: preempted && encode(preempted satisfies StoredPreemption),
    ...inactive,
    ...after,
  });
  const job = await queueMessage(trx, changed);
  await writeEvent(trx, before, 'status', {
    from: before.status,
    to,
    ...(before.waiting !== waiting && { waiting }),
    ...preempted,
    ...(verification && { verification }),
    ...(after.publication && { publication: decode<Publication>(after.publication) }),
  });
  return toJob(job);
}

function updateJob(trx: Transaction<Database>, id: string, values: Partial<JobRow>): Promise<JobRow> {
  return trx.updateTable('jobs').set(values).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

export function requestCancel(
  trx: Transaction<Database>,
  id: string,
  precondition?: Precondition<TrainingJob>,
): Promise<TrainingJob> {
  const decide = (job: JobRow): Change => {
    assertStatus(job, 'cancelled', ['queued', 'running', 'pausing', 'paused']);
    return job.status === 'queued' || job.status === 'paused' ? cancelled(job) : { status: 'cancelling' };
  };
  return change(trx, id, decide, precondition);
}

export function requestPause(
  trx: Transaction<Database>,
  id: string,
  precondition?: Precondition<TrainingJob>,
): Promise<TrainingJob> {
  const decide = (job: JobRow): Change => {
    assertStatus(job, 'paused', ['queued', 'running']);
    return { status: job.status === 'queued' ? 'paused' : 'pausing' };
  };
  return change(trx, id, decide, precondition);
}

export function resumeJob(
  trx: Transaction<Database>,
  id: string,
  precondition?: Precondition<TrainingJob>,
): Promise<TrainingJob> {
  const decide = (job: JobRow): Change => {
    assertStatus(job, 'resumed', ['paused']);
    // A job that ended the process often still runs alone, but may do so a few times again.
    return { status: 'queued', unclean_ends: Math.min(job.unclean_ends, SOLITARY_AFTER_UNCLEAN_ENDS) };
  };
  return change(trx, id, decide, precondition);
}

/** @throws AtelierError `illegal-transition` if a client requests a change that the status does not allow */
function assertStatus({ status }: JobRow, participle: string, allowed: readonly JobStatus[]): void {
  if (allowed.includes(status)) return;
  throw new AtelierError(
    'illegal-transition',
    `A ${status} job cannot be ${participle}. Only ${alternatives(allowed)} jobs can be ${participle}.`,
  );
}

/**
 * Completes a requested pause or cancellation, or requeues a running job, after the job's thread has ended.
 * @param step number of steps done; by default that of the stored progress
 * @param note goes into the event of a requeued job
 */
export function releaseJob(
  trx: Transaction<Database>,
  run: RunKey,
  step?: number,
  note: Note = {},
): Promise<TrainingJob> {
  return change(trx, run, (job) => released(job, step), undefined, note);
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

/** Pauses a running trial that has reached its rung; completes a requested pause or cancellation, too. */
export function pauseJobAtEpoch(trx: Transaction<Database>, run: RunKey, step: number): Promise<TrainingJob> {
  return change(trx, run, (job) => (job.status === 'running' ? { status: 'paused' } : released(job, step)));
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
  if (job) await writeEvent(trx, job, 'warning', { code: 'waiting-for-memory', message, waiting: 'memory' });
}

/**
 * Requeues a running job whose thread failed, to continue from its last checkpoint; fails it if no attempt is left.
 * Completes a requested pause or cancellation instead.
 */
export async function requeueJob(
  trx: Transaction<Database>,
  run: RunKey,
  failure: Failure,
): Promise<TrainingJob> {
  const { code, message } = failure.error;
  const job = await lockActiveJob(trx, run);
  if (job.status === 'running' && job.attempts >= MAX_ATTEMPTS) return failJob(trx, job, failure);
  await writeEvent(trx, job, 'warning', {
    code,
    message,
    advice: `Attempt ${job.attempts} of ${MAX_ATTEMPTS} failed; the next one continues from the last checkpoint.`,
  });
  return change(trx, run, (before) => ({ ...released(before, failure.step), attempts: before.attempts + 1 }));
}

export async function finishJob(
  trx: Transaction<Database>,
  run: RunKey,
  outcome: JobOutcome,
): Promise<TrainingJob> {
  switch (outcome.status) {
    case 'succeeded':
      return succeed(trx, run, outcome);
    case 'failed':
      return failJob(trx, await lockActiveJob(trx, run), outcome);
  }
}

/** Publishes a version, unless the job verifies another one, is a trial, or did not learn. */
async function succeed(trx: Transaction<Database>, run: RunKey, outcome: Success): Promise<TrainingJob> {
  const { step, reason, model, epoch, publish } = outcome;
  const notLearned = publish?.notLearned ?? null;
  if (notLearned !== null) {
    const job = await lockActiveJob(trx, run);
    await writeEvent(trx, job, 'warning', { code: 'not-learned', message: notLearned });
  }
  return change(trx, run, async (before) => {
    const publication = publishes(before) ? await publishModel(trx, before, outcome) : null;
    return {
      ...ended(before, 'succeeded', step, reason),
      digest: model.digest,
      result_epoch: epoch ?? null,
      model_version: publication?.version ?? null,
      publication: publication && encode(publication),
    };
  });
}

/** Verifications and trials publish nothing. */
function publishes({ expectation, search_trial }: JobRow): boolean {
  return expectation === null && search_trial === null;
}

async function publishModel(
  trx: Transaction<Database>,
  { id: jobId, request, status }: JobRow,
  { model, publish }: Success,
): Promise<Publication> {
  // Before anything is published, although a rejected change would undo it.
  transition(status, 'succeeded');
  if (publish !== undefined && publish.notLearned !== null) {
    const reason = publish.notLearned;
    return { version: null, promoted: false, testAccuracy: null, reason, comparison: null };
  }
  const { modelName: name } = decode<ResolvedTrainingRequest>(request);
  const published = await publishVersion(trx, { ...model, name, jobId });
  const publication = await promote(trx, published, jobId, publish, publish?.judgement);
  return { ...publication, testAccuracy: model.testAccuracy };
}

/** The event with the reason is written before the final status, so that followers of the events receive it. */
async function failJob(
  trx: Transaction<Database>,
  job: JobRow,
  { step, error: { code, message } }: Failure,
): Promise<TrainingJob> {
  await writeEvent(trx, job, 'error', { code, message });
  return change(trx, job, (before) => ({
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
