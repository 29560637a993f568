/** Prepares the database in a thread of its own. */
import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { AtelierError } from '../../../errors.ts';
import type { Report } from '../../migrations/migrate.ts';
import type { ThreadMessage } from './database.worker.ts';

/** @throws AtelierError `state-locked`, `state-unusable` */
export function prepareInThread(file: string, report: Report): Promise<void> {
  report('checking the database', { bytes: statSync(file).size });
  const worker = new Worker(new URL('./database.worker.ts', import.meta.url), { workerData: file });
  return new Promise((resolve, reject) => {
    worker.on('message', (sent: ThreadMessage) => {
      if ('code' in sent) reject(new AtelierError(sent.code, sent.message));
      else report(sent.message, sent.fields);
    });
    worker.on('error', reject);
    // Has no effect after a rejection.
    worker.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the thread that prepares the database ended with code ${code}`));
    });
  });
}
