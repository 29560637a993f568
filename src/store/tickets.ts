/** Tickets of queued jobs, for a queue that many processes share. A queue of one process needs none. */
import type { Transaction } from 'kysely';
import type { JobStatus } from '../domain/training-job.ts';
import type { Database } from './tables.ts';

export interface Tickets {
  /** Makes the ticket of a job match its status, in the transaction that changes the status. */
  follow(trx: Transaction<Database>, job: { readonly id: string; readonly status: JobStatus }): Promise<void>;
}
