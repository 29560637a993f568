/** Tickets of queued jobs, for a queue that many processes share. A queue of one process needs none. */
import type { Transaction } from 'kysely';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { Database } from '../database/tables.ts';
import type { QueuePosition } from './queue-order.ts';

/** Everything that the ticket of a job depends on. */
export interface TicketState extends QueuePosition {
  readonly status: JobStatus;
}

export interface Tickets {
  /** Makes the ticket of a job match its status and rank, in the transaction that changes them. */
  follow(trx: Transaction<Database>, job: TicketState): Promise<void>;
}
