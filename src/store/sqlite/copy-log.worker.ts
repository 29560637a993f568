/** Thread entry: copies the write-ahead log into the database, and restarts the log. */
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

export interface CopyLogTask {
  /** The database. */
  readonly file: string;
  /** The file of a restarted log is cut to this size. */
  readonly maxBytes: number;
}

const { file, maxBytes } = workerData as CopyLogTask;
const port = parentPort!;
const existing = pathToFileURL(file);
existing.searchParams.set('mode', 'rw'); // creates nothing if the file has been removed
const db = new DatabaseSync(existing);
db.exec(`pragma synchronous = normal; pragma journal_size_limit = ${maxBytes}`);
port.once('message', () => {
  // The first commit after a complete copy restarts the log and syncs its header, so it is made here. It changes nothing.
  db.exec('pragma wal_checkpoint(passive); pragma user_version = 0');
  db.close();
});
port.postMessage('ready');
