/** Starts a run of a job. */
import type { Transaction } from 'kysely';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { ExecutionEnvironment } from '../../domain/training/reproducibility.ts';
import { decode, decodeReadable, encode } from '../database/json-column.ts';
import type { Database } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { failDamagedJob, toReadableJob } from '../jobs/damaged.ts';
import { lockForEvent, writeEvent } from '../jobs/events.ts';
import { hasOtherOrigin } from '../jobs/origin.ts';
import { change } from '../jobs/status.ts';

export interface StartOptions {
  readonly detectEnvironment?: (request: ResolvedTrainingRequest) => ExecutionEnvironment | null;
  /** Id of the replica; only needed if several replicas share the database. */
  readonly runner?: string | undefined;
}

/** A job at the start of a run. */
export interface StartedJob {
  readonly job: TrainingJob;
  readonly run: number;
  /** Epoch at whose end the run stops; null for the end of the training. */
  readonly stopAfterEpoch: number | null;
  /** The data set at the start of the first run; null if it did not exist then. */
  readonly dataset: ExecutionEnvironment['dataset'] | null;
}

const MIXED = {
  code: 'mixed-environments',
  message:
    'The job continues from a checkpoint of another kernel, or of a processor that rounds multiply-adds differently. The ' +
    'final parameters may differ in the last bits from a training in a single environment, and cannot be verified.',
};

/**
 * Starts a queued job. If its row is damaged, fails it and returns null. The records of an interrupted run are kept:
 * the next run continues from a checkpoint, or repeats the same measurements. `started_at` is the start of the first
 * run.
 * @throws AtelierError `training-job-not-found`, `illegal-transition`
 */
export async function startJob(
  trx: Transaction<Database>,
  id: string,
  { detectEnvironment = () => null, runner }: StartOptions,
): Promise<StartedJob | null> {
  const row = await trx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
  if (row?.status === 'queued' && !toReadableJob(row)) {
    await failDamagedJob(trx, row);
    return null;
  }
  let run = 0;
  let isMixed = false;
  let stopAfterEpoch: number | null = null;
  let dataset: StartedJob['dataset'] = null;
  const job = await change(trx, id, (before) => {
    const found = detectEnvironment(decode<ResolvedTrainingRequest>(before.request));
    const first = decodeReadable<ExecutionEnvironment>(before.circumstances)?.dataset;
    dataset = first ?? found?.dataset ?? null;
    const environment = found && dataset && { ...found, dataset };
    run = before.run + 1;
    stopAfterEpoch = before.stop_after_epoch;
    isMixed = before.mixed === 0 && hasOtherOrigin(before, environment);
    return {
      status: 'running',
      run,
      runner: runner ?? null,
      circumstances: environment && encode(environment),
      started_at: before.started_at ?? timestamp(before.created_at),
      attempts: Math.max(1, before.attempts),
      ...(isMixed && { mixed: 1 }),
    };
  });
  if (isMixed) await writeEvent(trx, await lockForEvent(trx, { id, run }), 'warning', MIXED);
  return { job, run, stopAfterEpoch, dataset };
}
