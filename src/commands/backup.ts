/** Entry of `npm run backup -- directory`: copies the state directory, also while the service runs. */
import { resolve } from 'node:path';
import { readConfig } from '../config/read.ts';
import { AtelierError } from '../errors.ts';
import { backUp } from '../store/sqlite/backup/take.ts';
import { fail, readDirectoryArgument } from './command-line.ts';

const target = readDirectoryArgument(
  'Usage: npx atelier backup directory, where STATE_DIR is what to copy. The directory must not exist yet.',
);
process.umask(0o077);
try {
  const { stateDir, database } = readConfig();
  if (database !== null) {
    fail(
      database.blobUrl === null
        ? 'The state, with all parameters, checkpoints and data sets, is in the database of DATABASE_URL. Copy it with ' +
            'pg_dump. This copies everything as of one moment while the service is running.'
        : 'The state is in the database of DATABASE_URL and the bucket of BLOB_URL. Copy the database with pg_dump, and ' +
            'the bucket of BLOB_URL before the dump and again after it.',
    );
  }
  const { files, missing } = await backUp(stateDir, resolve(target));
  console.log(`Copied the database and ${files} files to ${target}.`);
  if (missing.length > 0)
    fail(`Rows of the database name files that are missing in ${stateDir}: ${missing.join(', ')}.`);
} catch (error) {
  if (error instanceof AtelierError) fail(error.message);
  const { code } = error as NodeJS.ErrnoException;
  fail(
    code === 'EEXIST' ? `${target} exists already. Choose a directory that does not exist.` : String(error),
  );
}
