/** Entry of `npm run migrate`: brings the database of DATABASE_URL to the schema of this release, and exits. */
import { readConfig } from '../config/read.ts';
import { AtelierError } from '../errors.ts';
import { migrateBoss } from '../queue/pg-boss.ts';
import { migratePostgres } from '../store/postgres/migrate.ts';
import { fail, rejectArguments } from './command-line.ts';

rejectArguments('Usage: npx atelier migrate, where DATABASE_URL is the database to update.');

try {
  const { database } = readConfig();
  if (database === null) {
    fail('Set DATABASE_URL. Without it, the service migrates the database in STATE_DIR when it starts.');
  }
  await migratePostgres(database.directUrl, (message, fields) =>
    console.log(JSON.stringify({ msg: message, ...fields })),
  );
  await migrateBoss(database.directUrl);
  console.log('The database has the schema of this release.');
} catch (error) {
  fail(error instanceof AtelierError ? error.message : String(error));
}
