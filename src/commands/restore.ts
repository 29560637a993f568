/** Entry of `npm run restore -- directory`: puts a backup into the empty directory STATE_DIR. */
import { resolve } from 'node:path';
import { readConfig } from '../config/read.ts';
import { AtelierError } from '../errors.ts';
import { restore } from '../store/sqlite/backup/restore.ts';
import { fail, readDirectoryArgument } from './command-line.ts';

const backup = readDirectoryArgument(
  'Usage: npx atelier restore directory, where STATE_DIR is an empty or new directory.',
);
// Files in the state directory are readable by this user only.
process.umask(0o077);
try {
  const { stateDir, database } = readConfig();
  if (database !== null) {
    fail(
      database.blobUrl === null
        ? 'The state is in the database of DATABASE_URL. Stop all replicas, and restore the dump with pg_restore.'
        : 'The state is in the database of DATABASE_URL and the bucket of BLOB_URL. Stop all replicas, and restore the dump ' +
            'with pg_restore, and the objects of BLOB_URL that are missing in the bucket.',
    );
  }
  const files = await restore(resolve(backup), stateDir);
  console.log(
    `Restored the database and ${files} files to ${stateDir}. The structure of the database and the SHA-256 of all files are correct.`,
  );
} catch (error) {
  fail(error instanceof AtelierError ? error.message : String(error));
}
