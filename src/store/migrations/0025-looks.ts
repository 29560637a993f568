/** Migration 25: looks at test splits, with those of the stored jobs and versions. */
import type { Kysely } from 'kysely';
import type { ExecutionEnvironment } from '../../domain/training/reproducibility.ts';
import { type Database, type LookKind, SERVICE } from '../database/tables.ts';
import { LOOKED_AT, networkSubject } from '../models/looks.ts';
import { readPages } from '../transfer/tables.ts';

interface Counted {
  readonly digest: string | undefined;
  readonly kind: LookKind;
  readonly subject: string;
  readonly count: number;
  readonly at: string;
}

export async function up(untyped: Kysely<unknown>): Promise<void> {
  await untyped.schema
    .createTable('looks')
    .addColumn('dataset_digest', 'text', (column) => column.notNull())
    .addColumn('split', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('looks_key', ['dataset_digest', 'split', 'subject'])
    .execute();
  await untyped.schema.createIndex('looks_subject').on('looks').column('subject').execute();
  // Sums are computed from this index alone.
  await untyped.schema
    .createIndex('looks_counts')
    .on('looks')
    .columns(['dataset_digest', 'split', 'at', 'count'])
    .execute();
  const db = untyped as Kysely<Database>;
  await countEpochs(db);
  await countVersions(db);
}

/** Every job measured every epoch. A verification repeated the epochs of another job. */
async function countEpochs(db: Kysely<Database>): Promise<void> {
  const columns = ['id', 'circumstances', 'expectation', 'created_at', 'started_at'];
  for await (const page of readPages(db, 'jobs', columns)) {
    const jobs = page.filter((row) => row['circumstances'] !== null && row['expectation'] === null);
    const ids = jobs.map((row) => String(row['id']));
    if (ids.length === 0) continue;
    const epochs = await db
      .selectFrom('metrics')
      .select(({ fn }) => ['job_id', fn.countAll().as('count')])
      .where('job_id', 'in', ids)
      .groupBy('job_id')
      .execute();
    const counts = new Map(epochs.map(({ job_id, count }) => [job_id, Number(count)]));
    const looks = jobs.map(({ id, circumstances, created_at, started_at }) => ({
      digest: read<ExecutionEnvironment>(circumstances)?.dataset.digest,
      kind: 'epochs' as const,
      subject: String(id),
      count: counts.get(String(id)) ?? 0,
      at: String(started_at ?? created_at),
    }));
    await insert(
      db,
      looks.filter(({ count }) => count > 0),
    );
  }
}

/** The accuracy of a trained version is that of an epoch, which its job counts. */
async function countVersions(db: Kysely<Database>): Promise<void> {
  const network = ['digest', 'layer_sizes', 'activation', 'standardization'];
  const columns = ['name', 'version', 'created_at', 'job_id', 'dataset_digest', 'test_accuracy', ...network];
  for await (const page of readPages(db, 'model_versions', columns)) {
    await insert(
      db,
      page.flatMap((row) => {
        const { digest, activation, created_at: at, job_id: jobId, dataset_digest: dataset } = row;
        const layerSizes = read<number[]>(row['layer_sizes']);
        if (row['test_accuracy'] === null || dataset === null || !layerSizes) return [];
        const standardization = read<{ mean: number; std: number }>(row['standardization']) ?? null;
        const subject = networkSubject({ digest, activation, layerSizes, standardization } as never);
        const kind = jobId === null ? 'import' : 'epochs';
        return [{ digest: String(dataset), kind, subject, count: jobId === null ? 1 : 0, at: String(at) }];
      }),
    );
  }
}

async function insert(db: Kysely<Database>, looks: readonly Counted[]): Promise<void> {
  const rows = looks.flatMap(({ digest, ...look }) =>
    digest === undefined ? [] : [{ dataset_digest: digest, split: LOOKED_AT, caller: SERVICE, ...look }],
  );
  if (rows.length === 0) return;
  await db
    .insertInto('looks')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Returns undefined for null and for a damaged value. */
function read<T>(text: unknown): T | undefined {
  try {
    return (JSON.parse(String(text)) as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}
