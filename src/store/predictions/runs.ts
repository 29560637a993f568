/** Runs of prediction jobs: their starts, what their runners write, and the recovery of lost ones. */
import type { Transaction } from 'kysely';
import type { PredictionCounts } from '../../domain/predictions/job.ts';
import { AtelierError } from '../../errors.ts';
import type { RefCountedBlobs } from '../blobs/ref-counted.ts';
import { encode } from '../database/json-column.ts';
import type { Rows } from '../database/rows.ts';
import type { Database, PredictionJobRow } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { describeUncleanEnds, MAX_UNCLEAN_ENDS } from '../runs/unclean-ends.ts';
import { toPredictionJob, toReadablePrediction } from './rows.ts';

const DAMAGED = {
  code: 'state-unusable',
  message:
    'The row of this job in the database is damaged: a value cannot be read. Start a new job, or restore the database from a backup.',
};

export interface PredictionFailure {
  readonly code: string;
  readonly message: string;
}

/** Files with the result of a run. They may be removed afterwards. */
export interface PredictionResultFiles {
  /** (n, classes) float32 as npy. */
  readonly probabilities: string;
  /** The true labels, (n) uint8 as npy; null if they are unknown */
  readonly labels: string | null;
  /** The sets and reasons, (n, classes + 1) uint8 as npy; null without a coverage */
  readonly judgements: string | null;
}

/** Each method throws AtelierError `lease-lost` if the job was cancelled, or this is not its current run any more. */
export type PredictionRun = ReturnType<typeof createPredictionRun>;

/**
 * Starts a queued job; one whose row is damaged fails instead.
 * @returns undefined if the job is not queued any more
 */
export async function startPrediction(
  trx: Transaction<Database>,
  id: string,
  runner: string | undefined,
): Promise<PredictionJobRow | undefined> {
  const now = timestamp();
  const row = await trx
    .updateTable('prediction_jobs')
    .set((eb) => ({
      status: 'running',
      runner: runner ?? null,
      done: 0,
      run: eb('run', '+', 1),
      attempts: eb('attempts', '+', 1),
      // The job may have been created by a process whose clock is ahead.
      started_at: eb.fn.coalesce(
        'started_at',
        eb.case().when('created_at', '>', now).then(eb.ref('created_at')).else(now).end(),
      ),
    }))
    .where('id', '=', id)
    .where('status', '=', 'queued')
    .returningAll()
    .executeTakeFirst();
  if (row === undefined || toReadablePrediction(row)) return row;
  await endRun(trx, row, failed(DAMAGED));
  return undefined;
}

export function createPredictionRun(
  row: PredictionJobRow,
  { inTransaction, inReservedTransaction }: Rows,
  blobs: RefCountedBlobs,
) {
  const change = (values: Partial<PredictionJobRow>) =>
    inReservedTransaction((trx) => endRun(trx, row, values));
  return {
    job: toPredictionJob(row),
    /** Rises with each run of the job. */
    run: row.run,
    recordProgress: (images: number) => inTransaction((trx) => changeRun(trx, row, { done: images })),
    /** Queues the job again. */
    release: () => inTransaction((trx) => changeRun(trx, row, { status: 'queued', runner: null, done: 0 })),
    async fail(failure: PredictionFailure) {
      await blobs.release(await change(failed(failure)));
    },
    /** @throws AtelierError also `storage-full` */
    async succeed(
      { probabilities, labels, judgements }: PredictionResultFiles,
      { classes, correct, unsure }: PredictionCounts,
    ) {
      const store = (path: string | null, refer: (digest: string | null) => Promise<string[]>) =>
        path === null ? refer(null) : blobs.putFileReferenced(path, refer);
      const finish = (stored: Record<keyof PredictionResultFiles, string | null>) =>
        inReservedTransaction(async (trx) => {
          const counts = { classes: encode(classes), correct, unsure };
          const input = await endRun(trx, row, { status: 'succeeded', done: row.images, ...counts });
          const files = (['probabilities', 'labels', 'judgements'] as const).flatMap((kind) =>
            stored[kind] === null ? [] : { job_id: row.id, kind, digest: stored[kind] },
          );
          await trx.insertInto('prediction_files').values(files).execute();
          return input;
        });
      const released = await store(labels, (labelsDigest) =>
        store(judgements, (judgementsDigest) =>
          store(probabilities, (digest) =>
            finish({ probabilities: digest, labels: labelsDigest, judgements: judgementsDigest }),
          ),
        ),
      );
      await blobs.release(released);
    },
  };
}

const failed = ({ code, message }: PredictionFailure) =>
  ({ status: 'failed', error_code: code, error_message: message }) as const;

/** @throws AtelierError `lease-lost` */
async function changeRun(
  trx: Transaction<Database>,
  { id, run }: Pick<PredictionJobRow, 'id' | 'run'>,
  values: Partial<PredictionJobRow>,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('prediction_jobs')
    .set(values)
    .where('id', '=', id)
    .where('run', '=', run)
    .where('status', '=', 'running')
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return;
  throw new AtelierError('lease-lost', `Run ${run} of prediction job ${id} is not the current one any more.`);
}

/** @returns the digests of the files that the job no longer needs */
async function endRun(
  trx: Transaction<Database>,
  row: Pick<PredictionJobRow, 'id' | 'run' | 'started_at'>,
  values: Partial<PredictionJobRow>,
): Promise<string[]> {
  const finishedAt = timestamp(row.started_at);
  await changeRun(trx, row, { ...values, runner: null, finished_at: finishedAt });
  return deleteFiles(trx, row.id);
}

/** @returns the digests of the files */
export async function deleteFiles(trx: Transaction<Database>, id: string): Promise<string[]> {
  const files = await trx
    .deleteFrom('prediction_files')
    .where('job_id', '=', id)
    .returning('digest')
    .execute();
  return files.map(({ digest }) => digest);
}

/**
 * Queues a running job again whose runner has ended, or pauses it with a reason if that has happened too often. The run is
 * raised, so that a runner that was only slow can write nothing more.
 */
export async function recoverPrediction(
  trx: Transaction<Database>,
  { id, run }: Pick<PredictionJobRow, 'id' | 'run'>,
): Promise<void> {
  const row = await trx
    .updateTable('prediction_jobs')
    .set((eb) => ({ run: eb('run', '+', 1), unclean_ends: eb('unclean_ends', '+', 1) }))
    .where('id', '=', id)
    .where('run', '=', run)
    .where('status', '=', 'running')
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return;
  const { unclean_ends: ends } = row;
  const next =
    ends < MAX_UNCLEAN_ENDS
      ? ({ status: 'queued' } as const)
      : ({ status: 'paused', pause_reason: describeUncleanEnds(ends) } as const);
  await changeRun(trx, row, { ...next, runner: null, done: 0 });
}

/** Recovers every running job. No runner may be alive. */
export async function recoverPredictions(trx: Transaction<Database>): Promise<void> {
  const running = await trx
    .selectFrom('prediction_jobs')
    .select(['id', 'run'])
    .where('status', '=', 'running')
    .execute();
  for (const run of running) await recoverPrediction(trx, run);
}
