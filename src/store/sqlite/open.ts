/** The store of one process: a SQLite database and files in a state directory. */
import { join, resolve } from 'node:path';
import { openBlobs } from '../blobs/content-addressed.ts';
import { prepareDirectory } from '../blobs/directory.ts';
import { createRefCountedBlobs } from '../blobs/ref-counted.ts';
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
    rememberTime(await newestTime(db));
    const parameters = await openBlobs(join(directory, 'blobs'), 'the parameters of the model version');
    const checkpoints = await openBlobs(join(directory, 'checkpoints'), 'the checkpoint');
    const predictions = await openBlobs(join(directory, 'predictions'), 'the predictions');
    await sweepUnreferencedFiles(db, directory, (message) => log.warn(message));
    return createStore({
      rows,
      blobs: createRefCountedBlobs(parameters, (digest) => isReferenced(db, 'blobs', digest)),
      checkpointBlobs: createRefCountedBlobs(checkpoints, (digest) =>
        isReferenced(db, 'checkpoints', digest),
      ),
      predictionBlobs: createRefCountedBlobs(predictions, (digest) =>
        isReferenced(db, 'predictions', digest),
      ),
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
