/** The store of one process: a SQLite database and files in a state directory. */
import { join, resolve } from 'node:path';
import { openBlobs } from '../blobs/content-addressed.ts';
import { prepareDirectory } from '../blobs/directory.ts';
import { createMarks } from '../blobs/marks.ts';
import { createRefCountedBlobs } from '../blobs/ref-counted.ts';
import type { Kind } from '../blobs/references.ts';
import { openTemporaryFiles } from '../blobs/temporary.ts';
import { createBootstrapKeyFile } from '../bootstrap-key.ts';
import { newestTime } from '../database/newest-time.ts';
import { rememberTime } from '../database/timestamps.ts';
import { createStore, type Store, type StoreLog } from '../persistent-state.ts';
import { createRetention } from '../retention.ts';
import { assertTransferred } from '../transfer/run.ts';
import { openDatabase } from './database.ts';
import { createDatabaseFiles } from './database-files.ts';
import { openDatasets } from './dataset-files.ts';
import { lockDirectory } from './lock.ts';
import { createSqliteRows } from './rows.ts';
import { openSpaceReserve } from './space-reserve.ts';
import { isReferenced, rejectFilesWithoutDatabase, sweepUnreferencedFiles } from './unreferenced-files.ts';

/** @throws AtelierError `state-locked`, `state-unusable` */
export async function openStore(stateDir: string, log: StoreLog = { info() {}, warn() {} }): Promise<Store> {
  const directory = resolve(stateDir);
  await prepareDirectory(directory);
  const lock = lockDirectory(directory);
  try {
    const file = join(directory, 'atelier.sqlite');
    await rejectFilesWithoutDatabase(directory, file);
    const files = createDatabaseFiles(file);
    const db = await openDatabase(file, {
      report: (message, fields) => log.info(fields, message),
      beforeCommit: files.assertInPlace,
      warn: (message) => log.warn(message),
    });
    files.remember();
    await assertTransferred(db).catch(async (error) => {
      await db.destroy();
      throw error;
    });
    const rows = createSqliteRows(db, files, await openSpaceReserve(directory));
    const lastEntry = await newestTime(db);
    rememberTime(lastEntry);
    const openKind = async (kind: Exclude<Kind, 'datasets'>, content: string) => {
      const folder = join(directory, kind);
      const stored = await openBlobs(folder, content);
      return createRefCountedBlobs(stored, (digest) => isReferenced(db, kind, digest), createMarks(folder));
    };
    const blobs = await openKind('blobs', 'the parameters of the model version');
    const checkpointBlobs = await openKind('checkpoints', 'the checkpoint');
    const predictionBlobs = await openKind('predictions', 'the predictions');
    await sweepUnreferencedFiles(db, directory, lastEntry, (message) => log.warn(message));
    return createStore({
      rows,
      blobs,
      checkpointBlobs,
      predictionBlobs,
      datasets: await openDatasets(rows, join(directory, 'datasets')),
      bootstrapKeys: createBootstrapKeyFile(directory),
      openRetention: createRetention,
      temporaryFiles: await openTemporaryFiles(join(directory, 'temporary')),
      onClosed: lock.release,
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}
