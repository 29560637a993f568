/** Events of committed transactions, for listeners in this process. */
import type { Transaction } from 'kysely';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { JobEvent } from '../../domain/jobs/training.ts';
import type { SearchEvent } from '../../domain/searches/representation.ts';
import { decodeReadable } from './json-column.ts';
import { toError } from './row-error.ts';
import type { Database } from './tables.ts';

/** The job right after a change of its status. */
export interface JobState {
  /** Empty if the request in the job's row is damaged. */
  readonly modelName: string;
  readonly dataset: string;
  readonly training: Pick<ResolvedTrainingRequest['training'], 'validation' | 'trainOnValidation'>;
  readonly attempts: number;
  /** Steps done. */
  readonly step: number;
  readonly digest: string | null;
  readonly traceparent: string | null;
  /** null unless the job belongs to a search */
  readonly searchId: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface CommittedEvent extends Omit<JobEvent, 'type'> {
  readonly type: JobEvent['type'] | SearchEvent['type'];
  /** null unless the event is a `status` event of a job. */
  readonly job: JobState | null;
}

/**
 * Called after a durable commit, once for each job and search with new events, in ascending order, and without events for
 * a job that was deleted; must not throw.
 */
export type OnCommitted = (jobId: string, events: readonly CommittedEvent[]) => void;

/** By the id of the job or search. */
export type CollectedEvents = ReadonlyMap<string, readonly CommittedEvent[]>;

const collections = new WeakMap<Transaction<Database>, Map<string, CommittedEvent[]>>();

/** Collects the events that the transaction writes. @returns a map that grows until the transaction ends */
export function collectEvents(trx: Transaction<Database>): CollectedEvents {
  const collected = new Map<string, CommittedEvent[]>();
  collections.set(trx, collected);
  return collected;
}

/** Call it after writing an event. Does nothing unless the transaction collects its events. */
export async function collectEvent(
  trx: Transaction<Database>,
  id: string,
  event: JobEvent | SearchEvent,
): Promise<void> {
  const collected = collections.get(trx);
  if (collected === undefined) return;
  const committed = { ...event, job: event.type === 'status' ? await readState(trx, id) : null };
  const events = collected.get(id);
  if (events) events.push(committed);
  else collected.set(id, [committed]);
}

/** Call it after deleting a job: its events are gone. Does nothing unless the transaction collects its events. */
export function collectDeletion(trx: Transaction<Database>, jobId: string): void {
  collections.get(trx)?.set(jobId, []);
}

async function readState(trx: Transaction<Database>, jobId: string): Promise<JobState | null> {
  const job = await trx
    .selectFrom('jobs')
    .select([
      'request',
      'progress',
      'attempts',
      'digest',
      'traceparent',
      'search_id',
      'error_code',
      'error_message',
    ])
    .where('id', '=', jobId)
    .executeTakeFirst();
  // The event is of a search.
  if (job === undefined) return null;
  const { request, progress, attempts, digest, traceparent, search_id } = job;
  const { modelName, dataset, training }: Partial<ResolvedTrainingRequest> = decodeReadable(request) ?? {};
  const { validation = null, trainOnValidation } = training ?? {};
  return {
    modelName: modelName ?? '',
    dataset: dataset ?? '',
    training: { validation, ...(trainOnValidation && { trainOnValidation }) },
    attempts,
    step: decodeReadable<{ step?: number }>(progress)?.step ?? 0,
    digest,
    traceparent,
    searchId: search_id,
    error: toError(job),
  };
}
