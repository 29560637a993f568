/** Thread entry: checks uploaded data sets, and reads those that are stored. */
import type { Tensors } from '../datasets/tensor-cache.ts';
import { readTensorFile, writeTensorFile } from '../datasets/tensor-file.ts';
import { checkUpload } from '../datasets/upload/check-upload.ts';
import { datasetId } from '../datasets/upload/dataset-id.ts';
import { isStorageFull, storageFull } from '../store/directory.ts';
import type { CheckedDataset, DatasetCheckTask, DatasetLoadTask, Outcome } from './messages.ts';
import { toOutcome } from './serialize-error.ts';

export default function checkDataset({
  files,
  fields,
  maxBytes,
  target,
}: DatasetCheckTask): Promise<Outcome<CheckedDataset>> {
  return toOutcome(async () => {
    const { tensors, ...checked } = await checkUpload(files, fields, maxBytes);
    const digest = await writeTensorFile(target, tensors).catch((error) => {
      throw isStorageFull(error) ? storageFull('the data set', error) : error;
    });
    return { ...checked, digest, id: datasetId({ ...checked, digest }) };
  });
}

export function loadDataset({ path, dataset }: DatasetLoadTask): Promise<Outcome<Tensors>> {
  return toOutcome(() => readTensorFile(path, dataset));
}
