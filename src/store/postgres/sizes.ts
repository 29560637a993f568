/** Sizes of what the database and the object store hold, by kind. */
import { type Kysely, sql } from 'kysely';
import { REFERENCES } from '../blobs/references.ts';
import type { KindSize } from '../blobs/sizes.ts';
import type { Database } from '../database/tables.ts';

/** `unreferenced` are blobs that no row refers to. They are removed an hour later. */
export const DATABASE_KINDS = [
  'database',
  'models',
  'checkpoints',
  'datasets',
  'predictions',
  'unreferenced',
  'events',
  'metrics',
] as const;
export type DatabaseSizes = Readonly<Record<(typeof DATABASE_KINDS)[number], KindSize>>;

/**
 * `database` counts the tables without blobs, events and metrics. The numbers of events and metrics are estimates of
 * PostgreSQL, because counting them would read every row. A blob that several kinds refer to counts in each.
 */
export async function measureDatabase(db: Kysely<Database>): Promise<DatabaseSizes> {
  const referenced = REFERENCES.map(
    ({ kind, table, column }) =>
      sql`select ${sql.lit(kind === 'blobs' ? 'models' : kind)} as kind, ${sql.ref(column)} as digest
        from ${sql.table(`atelier.${table}`)} where ${sql.ref(column)} is not null`,
  );
  const { rows } = await sql<{ kind: keyof DatabaseSizes; bytes: string | number; count: string | number }>`
    with referenced as (
      ${sql.join(referenced, sql` union `)}
    ), partitions as (
      select parent.relname, pg_total_relation_size(child.oid) as bytes, greatest(child.reltuples, 0) as count
      from pg_inherits join pg_class parent on parent.oid = inhparent join pg_class child on child.oid = inhrelid
      where parent.relnamespace = 'atelier'::regnamespace and parent.relname in ('events', 'metrics')
    )
    select kind, coalesce(sum(bytes), 0) as bytes, count(bytes) as count
    from (values ('models'), ('checkpoints'), ('datasets'), ('predictions')) as kinds (kind)
    left join referenced using (kind) left join atelier.blobs using (digest) group by kind
    union all
    select 'unreferenced', coalesce(sum(bytes), 0), count(*) from atelier.blobs
    where not exists (select from referenced where referenced.digest = blobs.digest)
    union all
    select relname, sum(bytes), sum(count) from partitions group by relname
    union all
    select 'database', pg_database_size(current_database()) - pg_total_relation_size('atelier.blob_chunks')
      - (select coalesce(sum(bytes), 0) from partitions),
      (select count(*) from pg_class where relnamespace = 'atelier'::regnamespace and relkind in ('r', 'p') and not relispartition)`.execute(
    db,
  );
  const sizes = Object.fromEntries(DATABASE_KINDS.map((kind) => [kind, { bytes: 0, count: 0 }]));
  for (const { kind, bytes, count } of rows) sizes[kind] = { bytes: Number(bytes), count: Number(count) };
  return sizes as DatabaseSizes;
}
