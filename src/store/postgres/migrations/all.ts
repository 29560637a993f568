/** All migrations of PostgreSQL: the portable ones. Some have more to do here. */
import { BASELINE, CALIBRATION, type Migrations, migrations as portable } from '../../migrations/all.ts';
import * as baseline from './0001-baseline.ts';
import * as calibration from './0006-calibration.ts';

export const migrations: Migrations = { ...portable, [BASELINE]: baseline, [CALIBRATION]: calibration };
