/** Migration 20: the preprocessing of encoded images, of data sets and of the models trained on them. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['datasets', 'model_versions']) {
    await db.schema.alterTable(table).addColumn('preprocessing', 'text').execute();
  }
}
