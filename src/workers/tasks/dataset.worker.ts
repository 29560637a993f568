/** Thread entry: checks uploaded data sets and loads stored ones. */
import { digestSplit, readTensorFile, writeTensorFile } from '../../datasets/tensor-file.ts';
import type { CheckedImageFile, ImageFile } from '../../datasets/upload/arrays/prediction-file.ts';
import type { ChosenShape, MeasuredUpload, OpenedUpload, SentFiles } from '../../datasets/upload/form.ts';
import { datasetId } from '../../datasets/upload/id.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import { isDiskFull, storageFull } from '../../store/blobs/directory.ts';
import { lowerPriority } from '../threads/priority.ts';
import { serve } from '../threads/serve.ts';

interface UploadTask extends Omit<SentFiles, 'archive'> {
  /** Limit of an encoded image. */
  readonly maxPixels: number;
}

interface CheckTask extends UploadTask {
  readonly chosen: ChosenShape;
  /** Path of the tensor file to write. */
  readonly target: string;
}

interface ImageFileTask {
  readonly file: ImageFile;
  /** Shape of the images that the model takes. */
  readonly image: ImageShape;
  readonly maxBytes: number;
  /** The new file for an array that must be decompressed. */
  readonly target: string;
}

/** The last upload, because each is measured, and then read by further tasks. The paths of its files are its own. */
let last: { readonly key: string; readonly opened: Promise<OpenedUpload> } | undefined;

/** Opens the upload, or returns it as the task before opened it. */
async function open({ files, fields, maxBytes }: UploadTask): Promise<OpenedUpload> {
  const key = JSON.stringify([files, fields, maxBytes]);
  if (last?.key !== key) {
    // Takes 0.1 s, and a thread that loads stored data sets does not need it.
    const { openUpload } = await import('../../datasets/upload/open.ts');
    last = { key, opened: openUpload({ files, fields, maxBytes }) };
  }
  return last.opened;
}

async function measureUpload(task: UploadTask): Promise<MeasuredUpload> {
  const { images, chosen, extraBytes } = await open(task);
  return { images, chosen, extraBytes };
}

/** Checks uploaded files and writes them as one data set. */
async function checkDataset(task: CheckTask) {
  const { chosen, maxPixels, target } = task;
  const { tensors, ...checked } = await (await open(task)).read(chosen, maxPixels);
  last = undefined;
  const isDryRun = task.fields.dryRun === 'true';
  const { pickSamples } = await import('../../datasets/upload/samples.ts');
  const samples = isDryRun ? await pickSamples({ ...checked, tensors }) : undefined;
  const digest = await writeTensorFile(target, checked.imageShape, tensors).catch((error) => {
    throw isDiskFull(error) ? storageFull('the data set', error) : error;
  });
  const id = datasetId({ ...checked, digest });
  return { ...checked, digest, testDigest: digestSplit(tensors.test), id, ...(samples && { samples }) };
}

/** Checks an uploaded file of images to predict. */
async function checkImageFile({ file, image, maxBytes, target }: ImageFileTask): Promise<CheckedImageFile> {
  const { checkImageFile: check } = await import('../../datasets/upload/arrays/prediction-file.ts');
  return check(file, image, maxBytes, target).catch((error) => {
    throw isDiskFull(error) ? storageFull('the file of images', error) : error;
  });
}

const tasks = {
  measureUpload,
  chooseShape: async (task: UploadTask) => (await open(task)).choose(task.maxPixels),
  checkDataset,
  checkImageFile,
  /** Loads the tensors of an uploaded data set into shared memory. */
  loadDataset: ({ path, dataset }: { path: string; dataset: DatasetSummary }) =>
    readTensorFile(path, dataset),
  /** The same for the built-in data set. */
  loadFashionMnist: async ({ directory, digest }: { directory: string; digest: string }) =>
    (await import('../../datasets/fashion-mnist.ts')).reloadFashionMnist(directory, digest),
};
export type DatasetTasks = typeof tasks;

lowerPriority();
serve(tasks);
