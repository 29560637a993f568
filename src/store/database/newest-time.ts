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
  const events = await db
    .selectFrom('jobs')
    .innerJoin('events', (join) =>
      join.onRef('events.job_id', '=', 'jobs.id').onRef('events.id', '=', 'jobs.event_count'),
    )
    .select(({ fn }) => fn.max('at').as('at'))
    .unionAll(
      db
        .selectFrom('searches')
        .innerJoin('search_events', (join) =>
          join
            .onRef('search_events.search_id', '=', 'searches.id')
            .onRef('search_events.id', '=', 'searches.event_count'),
        )
        .select(({ fn }) => fn.max('at').as('at')),
    )
    .execute();
  const times: (string | null)[] = events.map(({ at }) => at);
  const tables = db as unknown as Kysely<AnyTables>;
  for (const [table, columns] of Object.entries(TIMES)) {
    for (const column of columns) {
      const newest = tables.selectFrom(table).select(({ fn }) => fn.max(column).as('at'));
      times.push((await newest.executeTakeFirstOrThrow()).at);
    }
  }
  return (
    times
      .filter((time) => time !== null)
      .filter(isTime)
      .toSorted()
      .at(-1) ?? ''
  );
}
