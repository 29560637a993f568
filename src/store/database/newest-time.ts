/** The time of the newest row. */
import type { Kysely } from 'kysely';
import type { Database } from './tables.ts';
import { isTime } from './timestamps.ts';

/** Times of everything but events, whose tables are large. */
const TIMES = {
  answers: ['created_at'],
  jobs: ['created_at', 'finished_at'],
  checkpoints: ['created_at'],
  models: ['created_at'],
  model_versions: ['created_at'],
  alias_moves: ['at'],
  datasets: ['created_at'],
  looks: ['at'],
  prediction_jobs: ['created_at', 'started_at', 'finished_at'],
  searches: ['created_at', 'finished_at'],
} as const satisfies { readonly [Table in keyof Database]?: readonly (keyof Database[Table])[] };

type AnyTables = Record<string, Record<string, string | null>>;

/**
 * The newest time that a row holds; empty without rows. The modification time of a database file is unsuitable, because opening
 * the database changes it.
 */
export async function newestTime(db: Kysely<Database>): Promise<string> {
  const times: (string | null)[] = [];
  const tables = db as unknown as Kysely<AnyTables>;
  for (const [table, columns] of Object.entries(TIMES)) {
    const newest = tables.selectFrom(table).select(({ fn }) => columns.map((name) => fn.max(name).as(name)));
    times.push(...Object.values(await newest.executeTakeFirstOrThrow()));
  }
  for (const { at } of await lastEvents(db)) times.push(at);
  return times.reduce<string>((last, at) => (at !== null && at > last && isTime(at) ? at : last), '');
}

/** Each is read by its key. An ended job or search has the time of its last event, which is found above. */
function lastEvents(db: Kysely<Database>): Promise<{ readonly at: string | null }[]> {
  const ofJobs = db
    .selectFrom('jobs')
    .where('finished_at', 'is', null)
    .select((eb) =>
      eb
        .selectFrom('events')
        .select('at')
        .whereRef('events.job_id', '=', 'jobs.id')
        .whereRef('events.id', '=', 'jobs.event_count')
        .as('at'),
    );
  const ofSearches = db
    .selectFrom('searches')
    .where('finished_at', 'is', null)
    .select((eb) =>
      eb
        .selectFrom('search_events')
        .select('at')
        .whereRef('search_events.search_id', '=', 'searches.id')
        .whereRef('search_events.id', '=', 'searches.event_count')
        .as('at'),
    );
  return ofJobs.unionAll(ofSearches).execute();
}
