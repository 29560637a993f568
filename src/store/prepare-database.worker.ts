/** Thread entry: prepares the database, so that the main thread serves requests and signals meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import { prepareDatabase } from './prepare-database.ts';
import type { ThreadMessage } from './prepare-in-thread.ts';
import { toStateError } from './sqlite.ts';

const file: string = workerData;
const post = (message: ThreadMessage) => parentPort?.postMessage(message);
try {
  await prepareDatabase(file, (message, fields) => post({ message, fields }));
} catch (error) {
  const { code, message } = toStateError(file, error);
  post({ code, message });
}
