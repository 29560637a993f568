/** Publishes versions, and converts versions to and from rows. */

import type { Transaction } from 'kysely';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import type { Calibration } from '../../domain/models/calibration.ts';
import type { ImportOrigin } from '../../domain/models/import.ts';
import {
  isJobId,
  type ModelReference,
  parseModelReference,
  type VersionReference,
} from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import { architectureText, parameterCount } from '../../numerics/network/architecture.ts';
import { decode, decodeOptional, encode } from '../database/json-column.ts';
import { type Database, type LookKind, type ModelVersionRow, SERVICE } from '../database/tables.ts';
import { timestamp, timestampAfter } from '../database/timestamps.ts';
import { lockModel } from './aliases.ts';
import { countLook } from './looks.ts';

/** The result of a training or an import. The store adds the number, the time and the rest of the lineage. */
export type NewVersion = Pick<
  ModelVersion,
  | 'inputShape'
  | 'convolutions'
  | 'norm'
  | 'layerSizes'
  | 'activation'
  | 'standardization'
  | 'preprocessing'
  | 'fused'
  | 'classNames'
  | 'engine'
  | 'testAccuracy'
  | 'digest'
> & { readonly datasetId: string | null; readonly datasetDigest: string | null };

/** Fields of an imported version. */
export interface Imported {
  readonly imported: ImportOrigin;
  readonly metadata: ModelVersion['metadata'];
  /** Name of an API key, or `anonymous` */
  readonly caller?: string | undefined;
}

/** A version that the current transaction publishes. */
export interface PublishedVersion extends VersionReference {
  /** Whether the model has no other version. */
  readonly isFirst: boolean;
}

/**
 * Publishes a version under the next number of the model, from 1. The job's request is copied into the version. Its test
 * accuracy is counted as a look, unless it was measured for an epoch.
 * @param model its `jobId` is null for an import, described by `file`
 */
export async function publishVersion(
  trx: Transaction<Database>,
  model: NewVersion & { readonly name: string; readonly jobId: string | null },
  file: Imported | null = null,
): Promise<PublishedVersion> {
  const { name, jobId } = model;
  const { createdAt, ...published } = await nextVersion(trx, name);
  const job = await trx
    .selectFrom('jobs')
    .select('request')
    .where('id', '=', jobId ?? '')
    .executeTakeFirst();
  const request = job && decode<ResolvedTrainingRequest>(job.request);
  await trx
    .insertInto('model_versions')
    .values({
      name,
      version: published.version,
      created_at: createdAt,
      job_id: jobId,
      request: job?.request ?? null,
      dataset_id: model.datasetId,
      dataset_digest: model.datasetDigest,
      input_shape: encode(model.inputShape),
      convolutions: encode(model.convolutions),
      norm: model.norm,
      layer_sizes: encode(model.layerSizes),
      activation: model.activation,
      standardization: model.standardization === null ? null : encode(model.standardization),
      preprocessing: model.preprocessing === null ? null : encode(model.preprocessing),
      fused: model.fused ? 1 : 0,
      class_names: encode(model.classNames),
      engine: model.engine,
      test_accuracy: model.testAccuracy,
      digest: model.digest,
      imported: file && encode(file.imported),
      description: null,
      metadata: encode(file?.metadata ?? request?.metadata ?? {}),
      tags: encode([]),
      copied_from: null,
      calibration: null,
      calibration_digest: null,
    })
    .execute();
  const { testAccuracy, datasetDigest } = model;
  if (testAccuracy !== null && datasetDigest !== null) {
    const kind: LookKind = file ? 'import' : request?.testSet === 'once' ? 'final' : 'epochs';
    const look = { datasetDigest, kind, network: model, caller: file?.caller ?? SERVICE };
    await countLook(trx, look, kind === 'epochs' ? 0 : 1, createdAt);
  }
  return published;
}

/**
 * Publishes a copy of a version, with its description, metadata, tags and lineage. The parameters are not copied.
 * @returns undefined if the version does not exist
 */
export async function copyVersion(
  trx: Transaction<Database>,
  from: VersionReference,
  name: string,
): Promise<PublishedVersion | undefined> {
  // In the order of their names, so that two copies in opposite directions do not wait for each other.
  for (const locked of [from.name, name].toSorted()) await lockModel(trx, locked);
  const row = await trx
    .selectFrom('model_versions')
    .selectAll()
    .where('name', '=', from.name)
    .where('version', '=', from.version)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { createdAt, ...published } = await nextVersion(trx, name);
  const { version } = published;
  await trx
    .insertInto('model_versions')
    .values({ ...row, name, version, created_at: createdAt, copied_from: encode(from) })
    .execute();
  return published;
}

/** Assigns the next number of the model. The upsert locks the model's row until the transaction ends. */
async function nextVersion(
  trx: Transaction<Database>,
  name: string,
): Promise<PublishedVersion & { readonly createdAt: string }> {
  const now = timestamp();
  const { last_version: version } = await trx
    .insertInto('models')
    .values({ name, created_at: now, last_version: 1, alias_moves: 0 })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((eb) => ({ last_version: eb('models.last_version', '+', 1) })),
    )
    .returning('last_version')
    .executeTakeFirstOrThrow();
  const last = await trx
    .selectFrom('model_versions')
    .select('created_at')
    .where('name', '=', name)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  const isFirst = last === undefined;
  let createdAt = timestamp(last?.created_at);
  if (isFirst) {
    // No version exists, so this is a new model, perhaps under the name of a deleted one. Models are listed by this time.
    const { newest } = await trx
      .selectFrom('models')
      .select(({ fn }) => fn.max('created_at').as('newest'))
      .where('name', '!=', name)
      .executeTakeFirstOrThrow();
    createdAt = timestampAfter(newest);
    await trx.updateTable('models').set({ created_at: createdAt }).where('name', '=', name).execute();
  }
  return { name, version, isFirst, createdAt };
}

/**
 * Checks that the version or checkpoint of a warm start, and the teachers, still exist. They are not deleted while the job is
 * unfinished: the rows of their models or job are locked, so a deletion waits, and then finds the new job.
 * @throws AtelierError `unknown-model` if one has been deleted
 */
export async function assertModels(
  trx: Transaction<Database>,
  { warmStart, training }: Pick<ResolvedTrainingRequest, 'warmStart' | 'training'>,
): Promise<void> {
  const used = resolvedTeachers(training).map((teacher, n) => ({
    ...teacher,
    pointer: `#/training/distillation/teachers/${n}`,
  }));
  if (warmStart !== null) used.push({ ...resolvedWarmStart(warmStart), pointer: '#/warmStart' });
  await assertAllUndeleted(trx, used);
}

/** A version or checkpoint, and its place in a request. */
export type UsedModel = VersionReference & { readonly pointer: string };

/**
 * Like `assertUndeleted` for each. Models are locked in the order of their names, so that two transactions never wait for each
 * other.
 * @throws AtelierError `unknown-model`
 */
export async function assertAllUndeleted(
  trx: Transaction<Database>,
  used: readonly UsedModel[],
): Promise<void> {
  for (const { name, version, pointer } of used.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (isJobId(name)) await assertCheckpoint(trx, name, version);
    else await assertUndeleted(trx, { name, version }, pointer);
  }
}

/**
 * Checks that a version still exists, and locks the row of its model, so that a deletion waits for the transaction.
 * @param pointer where the request names the version
 * @throws AtelierError `unknown-model` if it has been deleted
 */
export async function assertUndeleted(
  trx: Transaction<Database>,
  { name, version }: VersionReference,
  pointer: string,
): Promise<void> {
  await lockModel(trx, name);
  const found = trx.selectFrom('model_versions').select('version').where('name', '=', name);
  if (await found.where('version', '=', version).executeTakeFirst()) return;
  throw new AtelierError('unknown-model', `Version ${version} of model ${name} has just been deleted.`, {
    details: [{ pointer, detail: 'must be an existing version' }],
  });
}

async function assertCheckpoint(trx: Transaction<Database>, jobId: string, step: number): Promise<void> {
  await trx.selectFrom('jobs').select('id').where('id', '=', jobId).forNoKeyUpdate().execute();
  const found = trx.selectFrom('checkpoints').select('step').where('job_id', '=', jobId);
  if (await found.where('step', '=', step).executeTakeFirst()) return;
  throw new AtelierError('unknown-model', `Checkpoint ${step} of job ${jobId} has just been removed.`, {
    details: [{ pointer: '#/warmStart', detail: 'must be an existing checkpoint' }],
  });
}

/** The warm start of a stored job, resolved to a version number when the job was created. */
export function resolvedWarmStart(warmStart: ModelReference): VersionReference {
  return parseModelReference(warmStart) as VersionReference;
}

/** The teachers of a stored job, resolved to version numbers when the job was created. */
export function resolvedTeachers({
  distillation,
}: Pick<ResolvedTrainingRequest['training'], 'distillation'>): VersionReference[] {
  return (distillation?.teachers ?? []).map((teacher) => parseModelReference(teacher) as VersionReference);
}

/** @param aliases the aliases that point at the version */
export function toVersion(row: ModelVersionRow, aliases: readonly string[]): ModelVersion {
  const described = {
    inputShape: decode<ModelVersion['inputShape']>(row.input_shape),
    convolutions: decode<ModelVersion['convolutions']>(row.convolutions),
    norm: row.norm,
    layerSizes: decode<number[]>(row.layer_sizes),
  };
  const architecture = architectureOf(described);
  return {
    name: row.name,
    version: row.version,
    createdAt: row.created_at,
    aliases: [...aliases],
    description: row.description,
    metadata: decode<ModelVersion['metadata']>(row.metadata),
    tags: decode<string[]>(row.tags),
    ...described,
    layers: architectureText(architecture),
    parameters: parameterCount(architecture),
    activation: row.activation,
    standardization: decodeOptional<ModelVersion['standardization']>(row.standardization),
    preprocessing: decodeOptional<ModelVersion['preprocessing']>(row.preprocessing),
    classNames: decode<string[]>(row.class_names),
    engine: row.engine,
    fused: row.fused === 1,
    testAccuracy: row.test_accuracy,
    calibration: decodeOptional<Calibration>(row.calibration),
    digest: row.digest,
    lineage: toLineage(row),
  };
}

function toLineage(row: ModelVersionRow): ModelVersion['lineage'] {
  const request = decodeOptional<ResolvedTrainingRequest>(row.request);
  const { dataset_id: id, dataset_digest: digest } = row;
  return {
    source: row.job_id === null ? 'import' : 'training',
    jobId: row.job_id,
    dataset: id === null || digest === null ? null : { id, digest },
    seed: request?.seed ?? null,
    request,
    parent: request?.warmStart ? resolvedWarmStart(request.warmStart) : null,
    teachers: request === null ? [] : resolvedTeachers(request.training),
    import: decodeOptional<ImportOrigin>(row.imported),
    copiedFrom: decodeOptional<VersionReference>(row.copied_from),
  };
}
