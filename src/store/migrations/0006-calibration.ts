/** Migration 6: calibrations of versions with the blobs of their arrays, and prediction jobs with a coverage. */
import type { Kysely } from 'kysely';
import { execute } from './0001-baseline.ts';

const STATEMENTS = [
  'alter table model_versions add column calibration text',
  'alter table model_versions add column calibration_digest text',
  'alter table prediction_jobs add column coverage double precision',
  'alter table prediction_jobs add column unsure bigint',
  'create index versions_by_calibration on model_versions (calibration_digest)',
];

export const up = (db: Kysely<unknown>): Promise<void> => execute(db, STATEMENTS);
