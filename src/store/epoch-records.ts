/** Epoch records of training jobs. */
import type { Kysely, Transaction } from 'kysely';
import type { EpochRecord } from '../domain/epoch-record.ts';
import { decode, encode } from './json-column.ts';
import type { Database } from './tables.ts';

export interface EpochRecords {
  /** Ordered by epoch. Empty for a job that does not exist. */
  list(jobId: string): Promise<EpochRecord[]>;
}

export function createEpochRecords(db: Kysely<Database>): EpochRecords {
  return {
    async list(jobId) {
      const rows = await db
        .selectFrom('metrics')
        .select('record')
        .where('job_id', '=', jobId)
        .orderBy('epoch')
        .execute();
      return rows.map((row) => decode<EpochRecord>(row.record));
    },
  };
}

export async function insertEpochRecord(trx: Transaction<Database>, jobId: string, record: EpochRecord) {
  await trx
    .insertInto('metrics')
    .values({ job_id: jobId, epoch: record.epoch, record: encode(record) })
    .execute();
}
