/** Migration 10: the run number of jobs, which fences the writes of their runners, and the origin of checkpoints. */
import type { Kysely } from 'kysely';

type Before = {
  jobs: { id: string; finished_at: string | null; circumstances: string | null; origin: string | null };
  checkpoints: { job_id: string };
};

/** Checkpoints of unfinished jobs were written in the environment of the job's last run. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const counter of ['run', 'mixed']) {
    await db.schema
      .alterTable('jobs')
      .addColumn(counter, 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  }
  await db.schema.alterTable('jobs').addColumn('runner', 'text').execute();
  await db.schema.alterTable('jobs').addColumn('origin', 'text').execute();

  const before = db.withTables<Before>();
  const resumable = before
    .selectFrom('jobs')
    .select(['id', 'circumstances'])
    .where('finished_at', 'is', null)
    .where('id', 'in', before.selectFrom('checkpoints').select('job_id'));
  for (const { id, circumstances } of await resumable.execute()) {
    const origin = readOrigin(circumstances);
    if (origin !== null) await before.updateTable('jobs').set({ origin }).where('id', '=', id).execute();
  }
}

/** Returns null for a damaged environment, too. */
function readOrigin(circumstances: string | null): string | null {
  try {
    const { kernel, fused } = JSON.parse(circumstances ?? '');
    return JSON.stringify({ kernel: { name: kernel.name, digest: kernel.digest }, fused });
  } catch {
    return null;
  }
}
