/** Thread entry: copies the write-ahead log into the database, and restarts the log. */
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

export interface CopyLogTask {
  /** Path of the database. */
  readonly file: string;
  /** The file of a restarted log is cut to this size. */
  readonly maxBytes: number;
}

const { file, maxBytes } = workerData as CopyLogTask;
const port = parentPort!;
const url = pathToFileURL(file);
url.searchParams.set('mode', 'rw'); // creates nothing if the file has been removed
const db = new DatabaseSync(url);
db.exec(`pragma synchronous = normal; pragma journal_size_limit = ${maxBytes}`);
// The main thread sends a message, whatever its content, when it makes no commits until this thread exits.
port.once('message', () => {
  // The first commit after a complete copy restarts the log and syncs its header. It is made here, so that the sync
  // does not block the main thread. It changes nothing, because `user_version` is unused and stays 0.
  db.exec('pragma wal_checkpoint(passive); pragma user_version = 0');
  db.close();
});
port.postMessage('ready');
