/** Search events: what happened to a search, numbered from 1 without gaps. */
import type { Transaction } from 'kysely';
import { sumActiveSeconds } from '../../domain/searches/active-time.ts';
import type { SearchEvent } from '../../domain/searches/representation.ts';
import { AtelierError } from '../../errors.ts';
import { collectEvent } from '../database/committed-events.ts';
import { decode, encode } from '../database/json-column.ts';
import type { Database, SearchRow } from '../database/tables.ts';
import { rememberTime, timestamp } from '../database/timestamps.ts';

/** @throws AtelierError `search-not-found` */
export async function lockSearch(trx: Transaction<Database>, id: string): Promise<SearchRow> {
  const row = trx.selectFrom('searches').selectAll().where('id', '=', id).forNoKeyUpdate();
  const search = await row.executeTakeFirst();
  if (search === undefined) throw searchNotFound(id);
  // The clock of this process may be behind the clock of the process that wrote the last event.
  const last = trx.selectFrom('search_events').select('at').where('search_id', '=', id);
  rememberTime((await last.where('id', '=', search.event_count).executeTakeFirst())?.at);
  return search;
}

/** Seconds since the start of the search in which it was not paused, as its events record them. */
export async function activeSeconds(
  trx: Transaction<Database>,
  { id }: Pick<SearchRow, 'id'>,
  now: Date,
): Promise<number> {
  const rows = await trx
    .selectFrom('search_events')
    .select(['at', 'data'])
    .where('search_id', '=', id)
    .where('type', '=', 'status')
    .orderBy('id')
    .execute();
  const changes = rows.map(({ at, data }) => ({ at, to: String(decode<SearchEvent['data']>(data)['to']) }));
  return sumActiveSeconds(changes, now);
}

export function searchNotFound(id: string): AtelierError {
  return new AtelierError('search-not-found', `Search ${id} does not exist.`);
}

export const writeSearchEvent = (
  trx: Transaction<Database>,
  searchId: string,
  type: SearchEvent['type'],
  data: SearchEvent['data'],
): Promise<void> => writeSearchEvents(trx, searchId, [{ type, data }]);

export async function writeSearchEvents(
  trx: Transaction<Database>,
  searchId: string,
  written: readonly Pick<SearchEvent, 'type' | 'data'>[],
): Promise<void> {
  if (written.length === 0) return;
  const { event_count: last } = await trx
    .updateTable('searches')
    .set((eb) => ({ event_count: eb('event_count', '+', written.length) }))
    .where('id', '=', searchId)
    .returning('event_count')
    .executeTakeFirstOrThrow();
  const at = timestamp();
  const events = written.map((event, n) => ({ ...event, id: last - written.length + 1 + n, at }));
  await trx
    .insertInto('search_events')
    .values(events.map(({ data, ...event }) => ({ ...event, search_id: searchId, data: encode(data) })))
    .execute();
  for (const event of events) await collectEvent(trx, searchId, event);
}
