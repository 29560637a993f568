/** Migration 27: states of trials beside them, and what the final training of a search published. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('trials').addColumn('state', 'text').execute();
  await db.schema.alterTable('trials').addColumn('state_event', 'integer').execute();
  await db.schema.alterTable('searches').addColumn('publication', 'text').execute();
}
