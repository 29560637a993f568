/** Migration 9: memory waits, unclean ends and indexed warm starts of jobs. */
import type { Kysely } from 'kysely';

type Before = {
  jobs: {
    id: string;
    finished_at: string | null;
    request: string;
    warm_start_name: string;
    warm_start_version: number;
  };
};

/** Only the warm starts of unfinished jobs matter; ended ones keep no model or checkpoint from deletion. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('waiting', 'text').execute();
  await db.schema.alterTable('jobs').addColumn('pause_reason', 'text').execute();
  await db.schema
    .alterTable('jobs')
    .addColumn('unclean_ends', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('jobs').addColumn('warm_start_name', 'text').execute();
  await db.schema.alterTable('jobs').addColumn('warm_start_version', 'integer').execute();
  await db.schema
    .createIndex('jobs_by_warm_start')
    .on('jobs')
    .columns(['warm_start_name', 'warm_start_version'])
    .execute();

  const before = db.withTables<Before>();
  const unfinished = before.selectFrom('jobs').select(['id', 'request']).where('finished_at', 'is', null);
  for (const { id, request } of await unfinished.execute()) {
    const start = readWarmStart(request);
    if (start === null) continue;
    await before
      .updateTable('jobs')
      .set({ warm_start_name: start.name, warm_start_version: start.version })
      .where('id', '=', id)
      .execute();
  }
}

/** Returns null for a damaged request, too: that job fails when it starts. */
function readWarmStart(request: string): { readonly name: string; readonly version: number } | null {
  try {
    return JSON.parse(request).warmStart;
  } catch {
    return null;
  }
}
