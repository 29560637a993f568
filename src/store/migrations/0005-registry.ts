/** Migration 5: the model registry, with aliases, annotations and lineage. */
import type { Kysely } from 'kysely';

/** Columns that are copied unchanged. */
const KEPT = [
  'name',
  'version',
  'created_at',
  'job_id',
  'dataset_id',
  'dataset_digest',
  'layer_sizes',
  'activation',
  'standardization',
  'fused',
  'class_names',
  'engine',
  'test_accuracy',
  'digest',
] as const;

type Row = Record<(typeof KEPT)[number] | 'request' | 'metadata', string>;
type Tables = { jobs: { id: string; request: string }; model_versions: Row; new_model_versions: Row };

/**
 * A version stores its own lineage, so a job it refers to may be deleted; an imported version has no job or data set.
 * SQLite cannot drop a column constraint, so the table is rebuilt.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('new_model_versions')
    .addColumn('name', 'text', (column) => column.notNull().references('models.name'))
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('job_id', 'text')
    .addColumn('request', 'text')
    .addColumn('dataset_id', 'text')
    .addColumn('dataset_digest', 'text')
    .addColumn('layer_sizes', 'text', (column) => column.notNull())
    .addColumn('activation', 'text', (column) => column.notNull())
    .addColumn('standardization', 'text')
    .addColumn('fused', 'integer', (column) => column.notNull())
    .addColumn('class_names', 'text', (column) => column.notNull())
    .addColumn('engine', 'text')
    .addColumn('test_accuracy', 'double precision')
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('metadata', 'text', (column) => column.notNull().defaultTo('{}'))
    .addColumn('tags', 'text', (column) => column.notNull().defaultTo('[]'))
    .addPrimaryKeyConstraint('versions_key', ['name', 'version'])
    .execute();
  const tables = db.withTables<Tables>();
  await tables
    .insertInto('new_model_versions')
    .columns(KEPT)
    .expression((eb) => eb.selectFrom('model_versions').select(KEPT))
    .execute();
  await db.schema.dropTable('model_versions').execute();
  await db.schema.alterTable('new_model_versions').renameTo('model_versions').execute();
  await db.schema.createIndex('versions_by_digest').on('model_versions').column('digest').execute();

  await db.schema
    .alterTable('models')
    .addColumn('alias_moves', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createTable('aliases')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('alias', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('moved_at', 'text', (column) => column.notNull())
    .addColumn('moved_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('aliases_key', ['name', 'alias'])
    .addForeignKeyConstraint('aliases_version', ['name', 'version'], 'model_versions', ['name', 'version'])
    .execute();
  await db.schema
    .createTable('alias_moves')
    .addColumn('name', 'text', (column) => column.notNull().references('models.name'))
    .addColumn('id', 'integer', (column) => column.notNull())
    .addColumn('alias', 'text', (column) => column.notNull())
    .addColumn('version', 'integer')
    .addColumn('previous_version', 'integer')
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('alias_moves_key', ['name', 'id'])
    .execute();

  // One update per version, by its primary key. One per job would scan all versions each time.
  const trained = await tables
    .selectFrom('model_versions')
    .innerJoin('jobs', 'jobs.id', 'model_versions.job_id')
    .select(['name', 'version', 'jobs.request'])
    .execute();
  for (const { name, version, request } of trained) {
    await tables
      .updateTable('model_versions')
      .set({ request, metadata: JSON.stringify(JSON.parse(request).metadata) })
      .where('name', '=', name)
      .where('version', '=', version)
      .execute();
  }
}
