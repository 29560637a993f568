/** The rows that a real training, search and prediction job have written, to be copied. */
import type { Kysely } from 'kysely';
import type { Database } from '../../src/store/database/tables.ts';

/** @throws Error if a row is missing */
export async function readSeeds(db: Kysely<Database>) {
  const job = await db
    .selectFrom('jobs')
    .selectAll()
    .where('status', '=', 'succeeded')
    .where('search_id', 'is', null)
    .executeTakeFirstOrThrow();
  const all = <T extends 'metrics' | 'events'>(table: T) =>
    db
      .selectFrom(table as 'events')
      .selectAll()
      .where('job_id', '=', job.id);
  const events = await all('events').orderBy('id').execute();
  const isEpoch = ({ type }: { readonly type: string }) => type === 'epoch';
  const firstEpoch = events.findIndex(isEpoch);
  const search = await db.selectFrom('searches').selectAll().executeTakeFirstOrThrow();
  const version = await db
    .selectFrom('model_versions')
    .selectAll()
    .where('job_id', '=', job.id)
    .executeTakeFirstOrThrow();
  return {
    job,
    before: events.slice(0, firstEpoch),
    epochs: events.filter(isEpoch),
    after: events.slice(firstEpoch).filter((event) => !isEpoch(event)),
    metrics: await db.selectFrom('metrics').selectAll().where('job_id', '=', job.id).execute(),
    look: await db.selectFrom('looks').selectAll().where('subject', '=', job.id).executeTakeFirstOrThrow(),
    version,
    model: await db
      .selectFrom('models')
      .selectAll()
      .where('name', '=', version.name)
      .executeTakeFirstOrThrow(),
    search,
    searchEvents: await db
      .selectFrom('search_events')
      .selectAll()
      .where('search_id', '=', search.id)
      .execute(),
    trial: await db
      .selectFrom('trials')
      .selectAll()
      .where('search_id', '=', search.id)
      .executeTakeFirstOrThrow(),
    prediction: await db.selectFrom('prediction_jobs').selectAll().executeTakeFirstOrThrow(),
    predictionFiles: await db.selectFrom('prediction_files').selectAll().execute(),
    datasets: await db.selectFrom('datasets').select(['id', 'digest']).execute(),
  };
}
