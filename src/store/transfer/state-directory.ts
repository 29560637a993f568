/** A state directory as one side of a transfer. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AtelierError } from '../../errors.ts';
import { readChunks } from '../blobs/chunks.ts';
import { damagedBlob, openBlobs, parseHex, writeVerified } from '../blobs/content-addressed.ts';
import { prepareDirectory, syncPath } from '../blobs/directory.ts';
import { createBootstrapKeyFile } from '../bootstrap-key.ts';
import { recoverPredictions } from '../predictions/runs.ts';
import { recoverInterrupted } from '../runs/recover.ts';
import { openDatabase } from '../sqlite/database.ts';
import { lockDirectory } from '../sqlite/lock.ts';
import { rejectFilesWithoutDatabase } from '../sqlite/unreferenced-files.ts';
import type { TransferredBlobs, TransferSide } from './side.ts';

export interface StateDirectory extends TransferSide {
  /** Path of a file on the disk of the directory that nothing else uses. */
  readonly temporary: string;
  /** Queues jobs that were active in a killed process, as a start does. */
  recoverJobs(): Promise<void>;
}

/**
 * Locks the directory until it is closed.
 * @param isSource whether it must exist
 * @throws AtelierError `state-locked`, `state-unusable`
 */
export async function openStateDirectory(directory: string, isSource: boolean): Promise<StateDirectory> {
  const file = join(directory, 'atelier.sqlite');
  if (isSource && !existsSync(file)) {
    throw new AtelierError('state-unusable', `${file} does not exist. Set STATE_DIR to the state directory.`);
  }
  await prepareDirectory(directory);
  const lock = lockDirectory(directory);
  try {
    await rejectFilesWithoutDatabase(directory, file);
    const db = await openDatabase(file);
    const work = join(directory, 'transfer');
    await rm(work, { recursive: true, force: true });
    await mkdir(work);
    return {
      name: `the state directory ${directory}`,
      db,
      temporary: join(work, 'blob'),
      blobs: {
        blobs: await blobFiles(join(directory, 'blobs')),
        checkpoints: await blobFiles(join(directory, 'checkpoints')),
        datasets: await datasetFiles(join(directory, 'datasets')),
        predictions: await blobFiles(join(directory, 'predictions')),
      },
      bootstrapKeys: createBootstrapKeyFile(directory),
      recoverJobs: () =>
        db.transaction().execute(async (trx) => {
          await recoverInterrupted(trx);
          await recoverPredictions(trx);
        }),
      async close() {
        await db.destroy();
        await rm(work, { recursive: true, force: true });
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function blobFiles(directory: string): Promise<TransferredBlobs> {
  const blobs = await openBlobs(directory);
  return {
    missing: async (names) => names.filter(({ digest }) => !existsSync(join(directory, parseHex(digest)))),
    read: ({ digest }, path) => blobs.getFile(digest, path),
    async write({ digest }, path) {
      if ((await blobs.putFile(path)) !== digest) throw damagedBlob(digest, 'Repeat the transfer.');
    },
  };
}

/** Files that are named by the id of the data set. */
async function datasetFiles(directory: string): Promise<TransferredBlobs> {
  await mkdir(directory, { recursive: true });
  const file = (id: string) => join(directory, id);
  return {
    missing: async (names) => names.filter(({ id }) => !existsSync(file(id))),
    read: ({ digest, id }, path) =>
      writeVerified(digest, path, readChunks(file(id)), 'Upload the data set again.'),
    async write({ id }, path) {
      await rename(path, file(id));
      await syncPath(dirname(file(id)));
    },
  };
}
