/** Thread entry: checks uploaded data sets and loads stored ones. */
import { readTensorFile, writeTensorFile } from '../datasets/tensor-file.ts';
import { checkUpload, countUpload } from '../datasets/upload/check-upload.ts';
import { datasetId } from '../datasets/upload/dataset-id.ts';
import { isDiskFull, storageFull } from '../store/directory.ts';
import { toOutcome } from './outcome.ts';
import { lowerPriority } from './priority.ts';
import type { DatasetTasks, Handlers } from './tasks.ts';

lowerPriority();

export const { countImages, checkDataset, loadDataset } = {
  countImages: ({ files, fields, maxBytes }) => toOutcome(() => countUpload(files, fields, maxBytes)),
  checkDataset: ({ files, fields, maxBytes, target }) =>
    toOutcome(async () => {
      const { tensors, ...checked } = await checkUpload(files, fields, maxBytes);
      const digest = await writeTensorFile(target, tensors).catch((error) => {
        throw isDiskFull(error) ? storageFull('the data set', error) : error;
      });
      return { ...checked, digest, id: datasetId({ ...checked, digest }) };
    }),
  loadDataset: ({ path, dataset }) => toOutcome(() => readTensorFile(path, dataset)),
} satisfies Handlers<DatasetTasks>;
