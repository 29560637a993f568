/**
 * Deletes one or all versions of a model, unless an alias or an unfinished job uses one of them. A champion that no client set,
 * because publishing a version set it, does not protect the last versions of a model.
 */
import type { Transaction } from 'kysely';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { type JobStatus, UNFINISHED_STATUSES } from '../../domain/jobs/status.ts';
import { CHAMPION } from '../../domain/models/reference.ts';
import { type PredictionStatus, UNFINISHED_PREDICTIONS } from '../../domain/predictions/job.ts';
import { AtelierError } from '../../errors.ts';
import { decode } from '../database/json-column.ts';
import type { AliasRow, Database, ModelVersionRow } from '../database/tables.ts';
import { SERVICE } from '../database/tables.ts';
import { listSearches } from '../searches/teachers.ts';
import { deleteAlias, listAliases, lockModel } from './aliases.ts';
import { resolvedTeachers } from './versions.ts';

/**
 * @param version the version to delete; all versions if omitted
 * @param precondition called once no other transaction can change the model
 * @returns the deleted versions
 * @throws AtelierError `model-not-found`; `version-in-use` if an alias points at one of them, or an unfinished job
 *   starts from one, distils it or predicts with it, or an unfinished search distils it
 */
export async function deleteVersions(
  trx: Transaction<Database>,
  name: string,
  version?: number,
  precondition?: () => Promise<void>,
): Promise<Pick<ModelVersionRow, 'version' | 'digest' | 'calibration_digest'>[]> {
  await lockModel(trx, name);
  await precondition?.();
  const subject = version === undefined ? `Model ${name}` : `Version ${version} of model ${name}`;
  const inUse = (reason: string) =>
    new AtelierError('version-in-use', `${subject} cannot be deleted: ${reason}`);
  const concerns = (used: number | undefined) => version === undefined || used === version;

  const aliases = (await listAliases(trx, [name])).filter((row) => concerns(row.version));
  const isWhole = version === undefined || !(await hasOtherVersion(trx, name, version));
  const alias = aliases.find((row) => !(isWhole && isUnchosen(row)));
  if (alias !== undefined) {
    throw inUse(
      `the alias ${alias.alias} points at version ${alias.version}. ` +
        'Move the alias to another version, or delete it.',
    );
  }
  const job = (await listWarmStarts(trx, name)).find((starting) => concerns(starting.version));
  if (job !== undefined) {
    throw inUse(
      `the ${job.status} training job ${job.id} starts from version ${job.version}. ` +
        'Wait for the job, or cancel it.',
    );
  }
  const search = (await listSearches(trx, name)).find((taught) => concerns(taught.version));
  if (search !== undefined) {
    throw inUse(
      `version ${search.version} is a teacher of the ${search.status} search ${search.id}. ` +
        'Wait for the search, or cancel it.',
    );
  }
  const student = (await listStudents(trx, name)).find((distilling) => concerns(distilling.version));
  if (student !== undefined) {
    throw inUse(
      `version ${student.version} is a teacher of the ${student.status} training job ${student.id}. ` +
        'Wait for the job, or cancel it.',
    );
  }
  const predicting = (await listPredictions(trx, name)).find((used) => concerns(used.version));
  if (predicting !== undefined) {
    throw inUse(
      `the ${predicting.status} prediction job ${predicting.id} uses version ${predicting.version}. ` +
        'Wait for the job, or cancel it.',
    );
  }
  for (const unchosen of aliases) await deleteAlias(trx, unchosen, name, SERVICE);
  let deletion = trx.deleteFrom('model_versions').where('name', '=', name);
  if (version !== undefined) deletion = deletion.where('version', '=', version);
  const deleted = await deletion.returning(['version', 'digest', 'calibration_digest']).execute();
  if (deleted.length === 0) throw new AtelierError('model-not-found', `${subject} does not exist.`);
  return deleted;
}

const isUnchosen = ({ alias, moved_by }: AliasRow) => alias === CHAMPION && moved_by === SERVICE;

async function hasOtherVersion(trx: Transaction<Database>, name: string, version: number): Promise<boolean> {
  const other = trx
    .selectFrom('model_versions')
    .select('version')
    .where('name', '=', name)
    .where('version', '!=', version);
  return (await other.limit(1).executeTakeFirst()) !== undefined;
}

/** Unfinished jobs that start from a version of the model. */
function listWarmStarts(
  trx: Transaction<Database>,
  name: string,
): Promise<{ id: string; status: JobStatus; version: number }[]> {
  return trx
    .selectFrom('jobs')
    .select(['id', 'status', 'warm_start_version as version'])
    .where('warm_start_name', '=', name)
    .where('status', 'in', UNFINISHED_STATUSES)
    .$narrowType<{ version: number }>()
    .execute();
}

/** Unfinished jobs that distil a version of the model. */
async function listStudents(
  trx: Transaction<Database>,
  name: string,
): Promise<{ id: string; status: JobStatus; version: number }[]> {
  const jobs = await trx
    .selectFrom('jobs')
    .select(['id', 'status', 'request'])
    .where('status', 'in', UNFINISHED_STATUSES)
    .where('request', 'like', '%"teachers":%')
    .execute();
  return jobs.flatMap(({ id, status, request }) =>
    resolvedTeachers(decode<ResolvedTrainingRequest>(request).training)
      .filter((teacher) => teacher.name === name)
      .map(({ version }) => ({ id, status, version })),
  );
}

/** Unfinished prediction jobs that use a version of the model. */
function listPredictions(
  trx: Transaction<Database>,
  name: string,
): Promise<{ id: string; status: PredictionStatus; version: number }[]> {
  return trx
    .selectFrom('prediction_jobs')
    .select(['id', 'status', 'model_version as version'])
    .where('model_name', '=', name)
    .where('status', 'in', UNFINISHED_PREDICTIONS)
    .execute();
}
