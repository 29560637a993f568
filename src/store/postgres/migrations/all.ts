/** All migrations of PostgreSQL: the portable ones. Some have more to do here. */
import { BASELINE, type Migrations, migrations as portable } from '../../migrations/all.ts';
import * as baseline from './0001-baseline.ts';

export const migrations: Migrations = { ...portable, [BASELINE]: baseline };
