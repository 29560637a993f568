/** Migration 3: checkpoints. */
import type { Kysely } from 'kysely';

/** Default that earlier versions implied for this option. */
const CHECKPOINT_EVERY_SECONDS = 5;

type Before = {
  jobs: { id: string; request: string };
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('checkpoints')
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id'))
    .addColumn('step', 'integer', (column) => column.notNull())
    .addColumn('epoch', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('bytes', 'integer', (column) => column.notNull())
    .addColumn('loss', 'double precision')
    .addColumn('digest', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('checkpoints_key', ['job_id', 'step'])
    .execute();
  await db.schema.createIndex('checkpoints_by_digest').on('checkpoints').column('digest').execute();

  const before = db.withTables<Before>();
  for (const { id, request } of await before.selectFrom('jobs').select(['id', 'request']).execute()) {
    const { training, ...rest } = JSON.parse(request);
    const completed = {
      ...rest,
      training: { checkpointEverySeconds: CHECKPOINT_EVERY_SECONDS, ...training },
    };
    await before
      .updateTable('jobs')
      .set({ request: JSON.stringify(completed) })
      .where('id', '=', id)
      .execute();
  }
}
