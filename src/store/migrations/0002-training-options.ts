/** Migration 2: training options in stored requests; new columns of jobs and versions. */
import type { Kysely } from 'kysely';

/** Defaults that earlier versions implied for these options. New columns default to the values of existing rows. */
const OPTIMIZER = { momentum: 0, nesterov: false, weightDecay: 0 };
const TRAINING = {
  threads: 1,
  l1: 0,
  dropout: 0,
  labelSmoothing: 0,
  clipNorm: null,
  classWeights: null,
  standardize: false,
  augmentation: { horizontalFlip: false, shift: 0, noise: 0, erase: 0 },
  earlyStopping: null,
  budget: null,
};

type Before = {
  jobs: { id: string; request: string };
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('gradient_check', 'text').execute();
  await db.schema.alterTable('model_versions').addColumn('standardization', 'text').execute();
  await db.schema
    .alterTable('model_versions')
    .addColumn('fused', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();

  const before = db.withTables<Before>();
  for (const { id, request } of await before.selectFrom('jobs').select(['id', 'request']).execute()) {
    const { training, ...rest } = JSON.parse(request);
    const completed = {
      ...rest,
      training: { ...TRAINING, ...training, optimizer: { ...OPTIMIZER, ...training.optimizer } },
      gradientCheck: false,
      warmStart: null,
    };
    await before
      .updateTable('jobs')
      .set({ request: JSON.stringify(completed) })
      .where('id', '=', id)
      .execute();
  }
}
