/** Thread entry: checks uploaded data sets and loads stored ones. */
import { readTensorFile, writeTensorFile } from '../datasets/tensor-file.ts';
import { datasetId } from '../datasets/upload/dataset-id.ts';
import * as uploads from '../datasets/upload/open-upload.ts';
import { isDiskFull, storageFull } from '../store/directory.ts';
import { toOutcome } from './outcome.ts';
import { lowerPriority } from './priority.ts';
import type { DatasetTasks, Handlers } from './tasks.ts';

lowerPriority();

export const { measureUpload, checkDataset, loadDataset } = {
  measureUpload: ({ files, fields, maxBytes }) =>
    toOutcome(() => uploads.measureUpload(files, fields, maxBytes)),
  checkDataset: ({ files, fields, maxBytes, maxPixels, target }) =>
    toOutcome(async () => {
      const { tensors, ...checked } = await uploads.readUpload(files, fields, maxBytes, maxPixels);
      const digest = await writeTensorFile(target, tensors).catch((error) => {
        throw isDiskFull(error) ? storageFull('the data set', error) : error;
      });
      return { ...checked, digest, id: datasetId({ ...checked, digest }) };
    }),
  loadDataset: ({ path, dataset }) => toOutcome(() => readTensorFile(path, dataset)),
} satisfies Handlers<DatasetTasks>;
