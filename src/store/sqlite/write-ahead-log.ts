/** Write-ahead log of the database: synced, and copied into the database, without blocking the main thread. */
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Semaphore } from '../../concurrency/semaphore.ts';
import { errorMessage } from '../blobs/directory.ts';
import type { CopyLogTask } from './copy-write-ahead-log.worker.ts';

export type WriteAheadLog = Awaited<ReturnType<typeof openWriteAheadLog>>;

const ENTRY = new URL('./copy-write-ahead-log.worker.ts', import.meta.url);
export const MAX_LOG_BYTES = 8 * 2 ** 20;

/**
 * SQLite must not copy the log itself (`wal_autocheckpoint = 0`), because it syncs both files in the thread that
 * commits. The file must exist.
 * @param file the database
 * @param connection held by each use of the main thread's connection
 * @param warn called if copying failed, with advice
 */
export async function openWriteAheadLog(
  file: string,
  connection: Semaphore,
  warn: (message: string) => void,
) {
  const handle = await open(`${file}-wal`);
  const size = () => fstatSync(handle.fd).size;
  let limit = MAX_LOG_BYTES;
  let copying: Promise<void> | undefined;
  let failed = false;

  /** A thread copies while it excludes the main thread: its next commit would otherwise sync the restarted log. */
  async function copy(): Promise<void> {
    const workerData: CopyLogTask = { file, maxBytes: MAX_LOG_BYTES };
    const worker = new Worker(ENTRY, { workerData });
    const exited = once(worker, 'exit');
    await Promise.race([once(worker, 'message'), exited]);
    await connection.run(async () => {
      // After a failed sync, the system may have dropped pages of the log.
      if (failed) await worker.terminate();
      else worker.postMessage('copy');
      await exited;
    });
  }

  async function copyOnce(): Promise<void> {
    try {
      await copy();
    } catch (error) {
      warn(
        `The write-ahead log could not be copied into the database: ${errorMessage(error)}. ` +
          'Nothing is lost, but the log grows. Check the free space and the health of the disk of STATE_DIR.',
      );
    }
    // If it failed, or another program reads the database, the log is not shortened.
    limit = size() > MAX_LOG_BYTES ? size() + MAX_LOG_BYTES : MAX_LOG_BYTES;
    copying = undefined;
  }

  return {
    /** Syncs the log. If it is large, then starts to copy it into the database. @throws the error of the system */
    async sync() {
      await handle.datasync().catch((error) => {
        failed = true;
        throw error;
      });
      if (size() > limit) copying ??= copyOnce();
    },
    /** Waits until the log is copied. */
    async close() {
      await copying;
      await handle.close();
    },
  };
}
