/** Migration 21: why a version became the champion, what a job published, and what a version is a copy of. */
import type { Kysely } from 'kysely';

/** Models without a champion keep none: their name goes on meaning the newest version. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('alias_moves').addColumn('promotion', 'text').execute();
  await db.schema.alterTable('jobs').addColumn('publication', 'text').execute();
  await db.schema.alterTable('model_versions').addColumn('copied_from', 'text').execute();
}
