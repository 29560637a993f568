/** Migration 2: digests of test splits, reasons of paused prediction jobs, and warnings of the last epoch of a job. */
import type { Kysely } from 'kysely';
import { execute } from './0001-baseline.ts';

const STATEMENTS = [
  // Without foreign keys, like the looks, which are counted for all data sets that share a test split.
  `create table test_splits (
    dataset_digest text not null, test_digest text not null,
    primary key (dataset_digest, test_digest)
  )`,
  'create index test_splits_by_digest on test_splits (test_digest, dataset_digest)',
  'alter table prediction_jobs add column pause_reason text',
  'alter table jobs add column warnings text',
];

export const up = (db: Kysely<unknown>): Promise<void> => execute(db, STATEMENTS);
