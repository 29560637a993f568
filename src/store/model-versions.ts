/** Publishing a version, and versions from and to rows. */
import type { Transaction } from 'kysely';
import type { ModelVersion } from '../domain/model.ts';
import { decode, encode } from './json.ts';
import type { Database, ModelVersionRow } from './tables.ts';

/** What a training run leaves behind; the store adds name, number, time and job. */
export type NewVersion = Omit<ModelVersion, 'name' | 'version' | 'createdAt' | 'jobId'>;

/** Gives the next number of the name, from 1; the upsert locks the model's row while the transaction lasts. */
export async function publishVersion(
  trx: Transaction<Database>,
  model: NewVersion & Pick<ModelVersion, 'name' | 'jobId'>,
): Promise<number> {
  const createdAt = new Date().toISOString();
  const { last_version: version } = await trx
    .insertInto('models')
    .values({ name: model.name, created_at: createdAt, last_version: 1 })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((eb) => ({ last_version: eb('models.last_version', '+', 1) })),
    )
    .returning('last_version')
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('model_versions')
    .values(toRow({ ...model, version, createdAt }))
    .execute();
  return version;
}

function toRow(version: ModelVersion): ModelVersionRow {
  return {
    name: version.name,
    version: version.version,
    created_at: version.createdAt,
    job_id: version.jobId,
    dataset_id: version.datasetId,
    dataset_digest: version.datasetDigest,
    layer_sizes: encode(version.layerSizes),
    activation: version.activation,
    standardization: version.standardization === null ? null : encode(version.standardization),
    fused: version.fused ? 1 : 0,
    class_names: encode(version.classNames),
    engine: version.engine,
    test_accuracy: version.testAccuracy,
    digest: version.digest,
  };
}

export function toVersion(row: ModelVersionRow): ModelVersion {
  return {
    name: row.name,
    version: row.version,
    createdAt: row.created_at,
    jobId: row.job_id,
    datasetId: row.dataset_id,
    datasetDigest: row.dataset_digest,
    layerSizes: decode<number[]>(row.layer_sizes),
    activation: row.activation,
    standardization:
      row.standardization === null ? null : decode<ModelVersion['standardization']>(row.standardization),
    fused: row.fused === 1,
    classNames: decode<string[]>(row.class_names),
    engine: row.engine,
    testAccuracy: row.test_accuracy,
    digest: row.digest,
  };
}
