/** Migration 6 on PostgreSQL: the columns of calibrations, whose blobs are locked by a foreign key. */
import type { Kysely } from 'kysely';
import { execute } from '../../migrations/0001-baseline.ts';
import * as portable from '../../migrations/0006-calibration.ts';

const STATEMENTS = [
  `alter table model_versions add constraint model_versions_calibration
    foreign key (calibration_digest) references blobs (digest)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await portable.up(db);
  await execute(db, STATEMENTS);
}
