/** Thread entry: prepares the database while the main thread serves requests and signals. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ErrorCode } from '../../../errors.ts';
import type { Report } from '../../migrations/migrate.ts';
import { toStateError } from '../errors.ts';
import { prepareDatabase } from './database.ts';

export type ThreadMessage =
  | { readonly message: string; readonly fields: Parameters<Report>[1] }
  | { readonly code: ErrorCode; readonly message: string };

const file: string = workerData;
const post = (message: ThreadMessage) => parentPort?.postMessage(message);
try {
  await prepareDatabase(file, (message, fields) => post({ message, fields }));
} catch (error) {
  const { code, message } = toStateError(file, error);
  post({ code, message });
}
