/** All migrations. Forward only: released migrations are never changed, new ones are added. */
import type { Migration } from 'kysely/migration';
import * as baseline from './0001-baseline.ts';
import * as looksPausesWarnings from './0002-looks-pauses-warnings.ts';
import * as traceContext from './0003-trace-context.ts';
import * as imageShapes from './0004-image-shapes.ts';
import * as convolutions from './0005-convolutions.ts';
import * as calibration from './0006-calibration.ts';

export type Migrations = Readonly<Record<string, Migration>>;

/** The first migration, of every state that a release has written. */
export const BASELINE = '0001-baseline';
/** The migration that does more on PostgreSQL. */
export const CALIBRATION = '0006-calibration';

export const migrations: Migrations = {
  [BASELINE]: baseline,
  '0002-looks-pauses-warnings': looksPausesWarnings,
  '0003-trace-context': traceContext,
  '0004-image-shapes': imageShapes,
  '0005-convolutions': convolutions,
  [CALIBRATION]: calibration,
};
