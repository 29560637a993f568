/** Migration 7: execution environments and reproduction targets of jobs. */
import type { Kysely } from 'kysely';

/** The execution environment of earlier jobs is unknown, so they have no receipt. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('circumstances', 'text').execute();
  await db.schema.alterTable('jobs').addColumn('expectation', 'text').execute();
}
