/** Migration 13: blobs in chunks. Rows that refer to a blob lock it, because the references are foreign keys. */
import { type Kysely, sql } from 'kysely';

/** The tables whose `digest` names a blob. The other indexes of it exist already. */
const REFERRING = ['model_versions', 'checkpoints', 'datasets'];

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('blobs')
    .addColumn('digest', sql`text collate "C"`, (column) => column.primaryKey())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    // False while a blob is stored in several transactions; such a blob cannot be read.
    .addColumn('whole', 'boolean', (column) => column.notNull())
    .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .execute();
  await db.schema
    .createTable('blob_chunks')
    .addColumn('digest', sql`text collate "C"`, (column) =>
      column.notNull().references('blobs.digest').onDelete('cascade'),
    )
    .addColumn('n', 'integer', (column) => column.notNull())
    .addColumn('bytes', 'bytea', (column) => column.notNull())
    .addPrimaryKeyConstraint('blob_chunks_key', ['digest', 'n'])
    .execute();
  // Without compression, because parameters and checkpoints do not compress.
  await sql`alter table ${sql.table('blob_chunks')} alter column bytes set storage external`.execute(db);
  await db.schema.createIndex('datasets_by_digest').on('datasets').column('digest').execute();
  for (const table of REFERRING) {
    await db.schema
      .alterTable(table)
      .addForeignKeyConstraint(`${table}_blob`, ['digest'], 'blobs', ['digest'])
      .execute();
  }
}
