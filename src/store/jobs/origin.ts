/** The origin of a job's checkpoints: the kernel and the rounding with which the first of them was computed. */
import type { Kysely, Transaction } from 'kysely';
import type { Arithmetic, ExecutionEnvironment } from '../../domain/training/reproducibility.ts';
import { decode, decodeReadable, encode } from '../database/json-column.ts';
import type { Database, JobRow } from '../database/tables.ts';

/** Returns null for a job without checkpoints, and if the value is damaged. */
export async function readOrigin(db: Kysely<Database>, id: string): Promise<Arithmetic | null> {
  const row = await db.selectFrom('jobs').select('origin').where('id', '=', id).executeTakeFirst();
  return decodeReadable<Arithmetic>(row?.origin ?? null);
}

/** Call when the current run of the job stores the first checkpoint. */
export async function writeOrigin(trx: Transaction<Database>, { id, circumstances }: JobRow): Promise<void> {
  if (circumstances === null) return;
  const origin = encodeOrigin(decode<ExecutionEnvironment>(circumstances));
  await trx.updateTable('jobs').set({ origin }).where('id', '=', id).execute();
}

/** Call when the last checkpoint is discarded: the run starts again, so the job is computed in one environment. */
export async function clearOrigin(trx: Transaction<Database>, id: string): Promise<void> {
  await trx.updateTable('jobs').set({ origin: null, mixed: 0 }).where('id', '=', id).execute();
}

/** Whether the job has checkpoints of another origin. Compares the texts, so a damaged one differs. */
export function hasOtherOrigin(
  { origin }: Pick<JobRow, 'origin'>,
  environment: ExecutionEnvironment | null,
): boolean {
  return origin !== null && environment !== null && origin !== encodeOrigin(environment);
}

function encodeOrigin({ kernel: { name, digest }, fused }: Arithmetic): string {
  return encode({ kernel: { name, digest }, fused });
}
