/** Job events: what happened to a job, numbered from 1 without gaps. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { EventType, JobEvent } from '../../domain/jobs/training.ts';
import type { SearchEvent } from '../../domain/searches/representation.ts';
import { AtelierError } from '../../errors.ts';
import { collectEvent } from '../database/committed-events.ts';
import { decode, encode } from '../database/json-column.ts';
import { type NumberedQuery, type Page, toPage } from '../database/pagination.ts';
import type { Rows } from '../database/rows.ts';
import type { Database, JobRow } from '../database/tables.ts';
import { rememberTime, timestamp } from '../database/timestamps.ts';

export function createEvents({ db, inTransaction, onCommitted }: Rows) {
  return {
    /** @throws AtelierError `training-job-not-found` */
    append: (jobId: string, type: EventType, data: JobEvent['data']) =>
      inTransaction(async (trx) => writeEvent(trx, await lockForEvent(trx, jobId), type, data)),

    /** Ascending; `after` is exclusive. Empty for a job that does not exist. */
    list: (jobId: string, query: NumberedQuery) => listEvents<JobEvent>(db, 'events', jobId, query),

    /** Calls the listener after each commit, when `list` already returns the events. */
    onCommitted,
  };
}

const OWNERS = { events: 'job_id', search_events: 'search_id' } as const;

/** A page of the events of a job or a search, ascending. */
export async function listEvents<Event extends JobEvent | SearchEvent>(
  db: Kysely<Database>,
  table: keyof typeof OWNERS,
  owner: string,
  { limit, after = 0 }: NumberedQuery,
): Promise<Page<Event>> {
  const rows = await db
    .selectFrom(table)
    .select(['id', 'type', 'at', 'data'])
    .where(sql.ref(OWNERS[table]), '=', owner)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  return toPage(rows, limit, (row) => ({ ...row, data: decode<Event['data']>(row.data) }) as Event);
}

/** One run of a job. */
export interface RunKey {
  readonly id: string;
  readonly run: number;
}

/**
 * Returns the job with its `event_count` incremented to the next event's id. The update locks the row: of two transactions
 * that change a job, the second sees the changes of the first. So a run that holds the lock is the current one until the
 * transaction ends.
 * @param key id of the job, or a run of it
 * @throws AtelierError `training-job-not-found`, or for a run `lease-lost` if it is not the current one
 */
export async function lockForEvent(trx: Transaction<Database>, key: string | RunKey): Promise<JobRow> {
  const update = trx.updateTable('jobs').set((eb) => ({ event_count: eb('event_count', '+', 1) }));
  const rows =
    typeof key === 'string'
      ? update.where('id', '=', key)
      : update.where('id', '=', key.id).where('run', '=', key.run);
  const job = await rows.returningAll().executeTakeFirst();
  if (job !== undefined) {
    await readLastTime(trx, job);
    return job;
  }
  if (typeof key !== 'string') throw leaseLost(key);
  throw new AtelierError('training-job-not-found', `Training job ${key} does not exist.`);
}

/**
 * Call it when the row of the job is locked, and `event_count` is the id of its next event: the clock of this process may be
 * behind the clock of the process that wrote the last one.
 */
export async function readLastTime(
  trx: Transaction<Database>,
  { id, event_count }: Pick<JobRow, 'id' | 'event_count'>,
): Promise<void> {
  const last = trx.selectFrom('events').select('at').where('job_id', '=', id);
  rememberTime((await last.where('id', '=', event_count - 1).executeTakeFirst())?.at);
}

export function leaseLost({ id, run }: RunKey): AtelierError {
  return new AtelierError('lease-lost', `Run ${run} of training job ${id} is not the current one any more.`);
}

/** Writes the event whose id `lockForEvent` reserved in `job`. */
export async function writeEvent(
  trx: Transaction<Database>,
  job: Pick<JobRow, 'id' | 'event_count'>,
  type: EventType,
  data: JobEvent['data'],
): Promise<JobEvent> {
  const [event] = await writeEvents(trx, job, [{ type, data }]);
  return event!;
}

/**
 * Writes events, at least one. The first one gets the id that `lockForEvent` reserved in `job`; for more than one, the caller must
 * set `event_count` to the last id.
 */
export async function writeEvents(
  trx: Transaction<Database>,
  job: Pick<JobRow, 'id' | 'event_count'>,
  events: readonly Pick<JobEvent, 'type' | 'data'>[],
): Promise<JobEvent[]> {
  const at = timestamp();
  const written = events.map((event, n) => ({ id: job.event_count + n, at, ...event }));
  await trx
    .insertInto('events')
    .values(written.map((event) => ({ ...event, job_id: job.id, data: encode(event.data) })))
    .execute();
  for (const event of written) await collectEvent(trx, job.id, event);
  return written;
}
