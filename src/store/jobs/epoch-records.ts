/** Epoch records of training jobs. */
import type { Kysely, Transaction } from 'kysely';
import type { EpochRecord } from '../../domain/jobs/epoch-record.ts';
import { decode, encode } from '../database/json-column.ts';
import type { Rows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';

export function createEpochRecords({ db }: Rows) {
  return {
    /** Records after an epoch, ordered by epoch. Empty for a job that does not exist. Records never change. */
    async list(jobId: string, after = 0) {
      const rows = await db
        .selectFrom('metrics')
        .select('record')
        .where('job_id', '=', jobId)
        .where('epoch', '>', after)
        .orderBy('epoch')
        .execute();
      return rows.map((row) => decode<EpochRecord>(row.record));
    },

    /** The last epoch with a record; 0 without records. */
    last: (jobId: string) => lastEpoch(db, jobId),
  };
}

/** The last epoch with a record; 0 without records. */
export async function lastEpoch(db: Kysely<Database>, jobId: string): Promise<number> {
  const row = await db
    .selectFrom('metrics')
    .select('epoch')
    .where('job_id', '=', jobId)
    .orderBy('epoch', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.epoch ?? 0;
}

export async function insertEpochRecords(
  trx: Transaction<Database>,
  jobId: string,
  records: readonly EpochRecord[],
): Promise<void> {
  await trx
    .insertInto('metrics')
    .values(records.map((record) => ({ job_id: jobId, epoch: record.epoch, record: encode(record) })))
    .execute();
}
