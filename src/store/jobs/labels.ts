/** Labels of jobs: the name of the model, the data set and the metadata, by which lists of jobs are filtered. */
import type { Kysely } from 'kysely';
import type { ResolvedTrainingRequest } from '../../domain/jobs/training.ts';
import type { Database } from '../database/tables.ts';

export interface Label {
  readonly name: string;
  readonly value: string;
}
type Labelled = Partial<Pick<ResolvedTrainingRequest, 'modelName' | 'dataset' | 'metadata'>>;

/** Rows per statement. */
const BATCH_ROWS = 500;

export function toLabels({ modelName, dataset, metadata = {} }: Labelled): Label[] {
  return [
    ...(modelName === undefined ? [] : [{ name: 'modelName', value: modelName }]),
    ...(dataset === undefined ? [] : [{ name: 'dataset', value: dataset }]),
    ...Object.entries(metadata).map(([key, value]) => ({ name: `metadata.${key}`, value })),
  ];
}

/** Call in the transaction that inserts the job. */
export async function insertLabels(db: Kysely<Database>, jobId: string, request: Labelled): Promise<void> {
  await insertRows(
    db,
    toLabels(request).map((label) => ({ ...label, job_id: jobId })),
  );
}

/**
 * Labels up to 500 jobs without labels: those of before the migration, and those that a process of an earlier release
 * creates while processes are replaced one after the other. A damaged row gets no labels.
 * @returns the number of jobs
 */
export async function labelJobs(db: Kysely<Database>): Promise<number> {
  const jobs = await db
    .selectFrom('jobs')
    .select(['id', 'request'])
    .where('labelled', '=', 0)
    .orderBy('id')
    .limit(BATCH_ROWS)
    .execute();
  if (jobs.length === 0) return 0;
  const rows = jobs.flatMap(({ id, request }) =>
    toLabels(readRequest(request)).map((label) => ({ ...label, job_id: id })),
  );
  for (let start = 0; start < rows.length; start += BATCH_ROWS) {
    await insertRows(db, rows.slice(start, start + BATCH_ROWS));
  }
  const ids = jobs.map(({ id }) => id);
  await db.updateTable('jobs').set({ labelled: 1 }).where('id', 'in', ids).execute();
  return jobs.length;
}

async function insertRows(
  db: Kysely<Database>,
  rows: readonly (Label & { readonly job_id: string })[],
): Promise<void> {
  if (rows.length === 0) return;
  await db
    .insertInto('job_labels')
    .values([...rows])
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

function readRequest(text: string): Labelled {
  try {
    return JSON.parse(text) as Labelled;
  } catch {
    return {};
  }
}
