/** Thread entry: checks uploaded data sets and loads stored ones. */
import { readTensorFile, writeTensorFile } from '../../datasets/tensor-file.ts';
import * as images from '../../datasets/upload/arrays/prediction-file.ts';
import { datasetId } from '../../datasets/upload/id.ts';
import * as uploads from '../../datasets/upload/open.ts';
import { isDiskFull, storageFull } from '../../store/blobs/directory.ts';
import type { DatasetTasks, Handlers } from '../messages/by-pool.ts';
import { toOutcome } from '../threads/outcome.ts';
import { lowerPriority } from '../threads/priority.ts';

lowerPriority();

export const { measureUpload, checkDataset, checkImageFile, loadDataset } = {
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
  checkImageFile: ({ file, maxBytes, target }) =>
    toOutcome(async () => {
      try {
        return await images.checkImageFile(file, maxBytes, target);
      } catch (error) {
        throw isDiskFull(error) ? storageFull('the file of images', error) : error;
      }
    }),
  loadDataset: ({ path, dataset }) => toOutcome(() => readTensorFile(path, dataset)),
} satisfies Handlers<DatasetTasks>;
