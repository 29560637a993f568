/** Checkpoints: content in blobs, metadata in rows. */
import type { Kysely, Transaction } from 'kysely';
import type { CheckpointRecord } from '../../domain/jobs/checkpoint.ts';
import type { JobEvent } from '../../domain/jobs/training.ts';
import type { RefCountedBlobs } from '../blobs/ref-counted.ts';
import type { Rows } from '../database/rows.ts';
import type { CheckpointRow, Database } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { type RunKey, writeEvent } from '../jobs/events.ts';
import { clearOrigin, writeOrigin } from '../jobs/origin.ts';
import { lockActiveJob, recordWarning } from '../jobs/progress.ts';
import { pruneCheckpoints, removeUnreferenced } from './prune.ts';

type AllCheckpoints = ReturnType<typeof createCheckpoints>;
export type Checkpoints = Pick<AllCheckpoints, 'list' | 'read' | 'expire'>;
/** Writes on behalf of a run; see `Run`. */
export type CheckpointWriter = Pick<AllCheckpoints, 'save' | 'discard' | 'release'>;

/** @param blobs holds checkpoints only; unreferenced ones are removed */
export function createCheckpoints({ db, inTransaction, lockQueue }: Rows, blobs: RefCountedBlobs) {
  const selectRows = (from: Kysely<Database>, jobId: string) =>
    from.selectFrom('checkpoints').selectAll().where('job_id', '=', jobId).orderBy('step').execute();

  return {
    async save(
      run: RunKey,
      { step, epoch, loss }: Pick<CheckpointRecord, 'step' | 'epoch' | 'loss'>,
      bytes: Uint8Array,
    ) {
      const jobId = run.id;
      const removed = await blobs.putReferenced(bytes, (digest) =>
        inTransaction(async (trx) => {
          const job = await lockActiveJob(trx, run);
          const before = await selectRows(trx, jobId);
          const row: CheckpointRow = {
            job_id: jobId,
            step,
            epoch,
            created_at: timestamp(),
            bytes: bytes.length,
            loss,
            digest,
          };
          await trx.deleteFrom('checkpoints').where('job_id', '=', jobId).where('step', '=', step).execute();
          await trx.insertInto('checkpoints').values(row).execute();
          await writeEvent(trx, job, 'checkpoint', { step, epoch });
          if (before.length === 0) await writeOrigin(trx, job);
          // Failures are counted since the last progress, so a checkpoint beyond all earlier ones resets the counts.
          if (before.every((other) => other.step < step)) {
            await trx
              .updateTable('jobs')
              .set({ attempts: 1, unclean_ends: 0 })
              .where('id', '=', jobId)
              .execute();
          }
          const replaced = before.filter((other) => other.step === step).map((other) => other.digest);
          const pruned = await pruneCheckpoints(trx, [...before.filter((other) => other.step !== step), row]);
          return [...replaced, ...pruned];
        }),
      );
      await blobs.release(removed);
    },

    /** Ordered by step. Empty for a job that does not exist. */
    list: async (jobId: string) => (await selectRows(db, jobId)).map(toRecord),
    /** @throws AtelierError `state-unusable` if the file is missing or damaged */
    read: ({ digest }: Pick<CheckpointRecord, 'digest'>) => blobs.get(digest),
    /** Call after deleting rows of checkpoints. Removes the files that no other row refers to. */
    release: blobs.release,

    async discard(run: RunKey, step: number, reason: JobEvent['data']) {
      const row = await inTransaction(async (trx) => {
        await recordWarning(trx, run, reason);
        const discarded = await trx
          .deleteFrom('checkpoints')
          .where('job_id', '=', run.id)
          .where('step', '=', step)
          .returning('digest')
          .executeTakeFirst();
        if ((await selectRows(trx, run.id)).length === 0) await clearOrigin(trx, run.id);
        return discarded;
      });
      if (row) await blobs.release([row.digest]);
    },

    /** Removes the checkpoints of an ended job, except those that an unfinished job starts from, if the claim succeeds. */
    async expire(jobId: string, claim: (trx: Transaction<Database>) => Promise<boolean>) {
      const removed = await inTransaction(async (trx) => {
        if (!(await claim(trx))) return [];
        // A job that is just being created may start from one of them.
        await lockQueue(trx);
        return removeUnreferenced(trx, await selectRows(trx, jobId));
      });
      await blobs.release(removed);
    },
  };
}

function toRecord({ step, epoch, created_at, bytes, loss, digest }: CheckpointRow): CheckpointRecord {
  return { step, epoch, createdAt: created_at, bytes, loss, digest };
}
