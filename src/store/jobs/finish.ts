/** Finishes the run of a job: publishes its result, fails the job, or requeues it. */
import type { Transaction } from 'kysely';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { transition } from '../../domain/jobs/status.ts';
import type { StopReason, TrainingJob } from '../../domain/jobs/training.ts';
import type { Publication, PublishOptions } from '../../domain/training/publication.ts';
import type { ErrorCode } from '../../errors.ts';
import { decode, encode } from '../database/json-column.ts';
import type { Database, JobRow } from '../database/tables.ts';
import { type Judgement, promote } from '../models/promotion.ts';
import { type NewVersion, publishVersion } from '../models/versions.ts';
import { type RunKey, writeEvent } from './events.ts';
import { lockActiveJob } from './progress.ts';
import { change, toEnded, toReleased } from './status.ts';

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
/** Runs that may crash between two checkpoints. */
const MAX_RUNS = 3;

/**
 * Requeues a running job whose thread failed, to continue from its last checkpoint; fails it if no run is left.
 * Completes a requested pause or cancellation instead.
 */
export async function requeueJob(
  trx: Transaction<Database>,
  run: RunKey,
  failure: Failure,
): Promise<TrainingJob> {
  const { code, message } = failure.error;
  const job = await lockActiveJob(trx, run);
  if (job.status === 'running' && job.attempts >= MAX_RUNS) return failJob(trx, job, failure);
  await writeEvent(trx, job, 'warning', {
    code,
    message,
    advice: `Attempt ${job.attempts} of ${MAX_RUNS} failed; the next one continues from the last checkpoint.`,
  });
  return change(trx, run, (before) => ({
    ...toReleased(before, failure.step),
    attempts: before.attempts + 1,
  }));
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
    const publication = mayPublish(before) ? await publishModel(trx, before, outcome) : null;
    return {
      ...toEnded(before, 'succeeded', step, reason),
      digest: model.digest,
      result_epoch: epoch ?? null,
      model_version: publication?.version ?? null,
      publication: publication && encode(publication),
    };
  });
}

/** Verifications and trials publish nothing. */
function mayPublish({ expectation, search_trial }: JobRow): boolean {
  return expectation === null && search_trial === null;
}

async function publishModel(
  trx: Transaction<Database>,
  { id: jobId, request, status }: JobRow,
  { model, publish }: Success,
): Promise<Publication> {
  // Checked before publishing, so that an impossible transition costs no work.
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
    ...toEnded(before, 'failed', step, 'failed'),
    error_code: code,
    error_message: message,
  }));
}
