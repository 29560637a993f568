import type { Kysely } from 'kysely';

/** Of jobs that ran before, what computed them is not known: they have no receipt. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('circumstances', 'text').execute();
  await db.schema.alterTable('jobs').addColumn('expectation', 'text').execute();
}
