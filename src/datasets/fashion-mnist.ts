/** The built-in data set Fashion-MNIST: four .npy files, loaded into shared memory when they are needed. */
import { join } from 'node:path';
import type { Dataset } from '../domain/datasets/representation.ts';
import { AtelierError, messageWithoutPaths } from '../errors.ts';
import { type NpyArray, parseNpy } from '../formats/arrays/npy.ts';
import { readNpyHeader } from '../formats/arrays/npy-header.ts';
import { openRegularFile } from '../formats/regular-file.ts';
import { findLayout, listForms } from '../images/array-shape.ts';
import { FLOAT16_ROUNDING, FLOAT32_ROUNDING, unitToByteScale } from '../images/batch.ts';
import { DEFAULT_IMAGE_SHAPE, valueCount } from '../numerics/network/image-shape.ts';
import type { Examples } from '../numerics/training/engine.ts';
import type { LoadedTensors } from './tensor-cache.ts';
import { digestDataset, readFully } from './tensor-file.ts';

export const FASHION_MNIST = 'fashion-mnist';
export const CLASS_NAMES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

/** Fashion-MNIST has no validation split. */
export const FILE_SPLITS = ['train', 'test'] as const;
type FileSplit = (typeof FILE_SPLITS)[number];

export function datasetFile(split: FileSplit, kind: 'images' | 'labels'): string {
  return `fashion_mnist_${split}_${kind}.npy`;
}

/**
 * Reads the four files of `directory`, of any numeric dtype, into one byte per pixel and label.
 * @throws AtelierError `invalid-dataset` naming the file and the defect
 */
export async function loadFashionMnist(directory: string): Promise<Dataset> {
  const train = await loadSplit(directory, 'train');
  const test = await loadSplit(directory, 'test');
  const tensors = { imageShape: DEFAULT_IMAGE_SHAPE, train, validation: null, learning: train, test };
  return { id: FASHION_MNIST, classNames: CLASS_NAMES, ...tensors, digest: digestDataset(tensors) };
}

/**
 * Loads the files again.
 * @param digest of the data set at the start
 * @throws AtelierError `dataset-damaged` if a file is invalid now, or another one
 */
export async function reloadFashionMnist(directory: string, digest: string): Promise<LoadedTensors> {
  const loaded = await loadFashionMnist(directory).catch((cause) => cause as Error);
  if (!(loaded instanceof Error) && loaded.digest === digest) {
    const { train, validation, learning, test } = loaded;
    return { train, validation, learning, test };
  }
  // Without the folder: clients must not see it.
  const defect =
    loaded instanceof Error
      ? ` ${messageWithoutPaths(loaded.message.replaceAll(join(directory, '/'), ''))}`
      : '';
  throw new AtelierError(
    'dataset-damaged',
    `The files of data set ${FASHION_MNIST} have changed since the service started. Restore them, or restart the service.${defect}`,
  );
}

async function loadSplit(directory: string, split: FileSplit): Promise<Examples> {
  const imagesFile = join(directory, datasetFile(split, 'images'));
  const labelsFile = join(directory, datasetFile(split, 'labels'));
  const pixels = await loadFile(imagesFile, toPixels);
  const labels = await loadFile(labelsFile, toLabels);
  const images = pixels.length / valueCount(DEFAULT_IMAGE_SHAPE);
  if (images !== labels.length) {
    throw invalidDataset(
      labelsFile,
      `it has ${labels.length} labels, but ${imagesFile} has ${images} images`,
    );
  }
  return { pixels, labels };
}

async function loadFile(file: string, convert: (array: NpyArray) => Uint8Array): Promise<Uint8Array> {
  try {
    return convert(viewNpy(await readShared(file)));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      const advice =
        'Run "npx atelier data" to create it, set DATA_DIR to the directory of the files, or start without them by DATASETS=none.';
      throw new AtelierError('invalid-dataset', `The data file ${file} does not exist. ${advice}`, { cause });
    }
    throw invalidDataset(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Reads a file straight into shared memory: a copy of the training images would take 45 MiB until it is collected. */
async function readShared(path: string): Promise<Uint8Array> {
  await using file = await openRegularFile(path);
  const bytes = new Uint8Array(new SharedArrayBuffer((await file.stat()).size));
  await readFully(file, bytes);
  return bytes;
}

/** Like `parseNpy`, but returns a view of an array of bytes. */
function viewNpy(bytes: Uint8Array): NpyArray {
  const { shape, dtype, fortranOrder, dataOffset } = readNpyHeader(bytes);
  if (dtype === 'u1' && !fortranOrder) return { shape, dtype, data: bytes.subarray(dataOffset) };
  return parseNpy(bytes);
}

function toPixels({ shape, dtype, data }: NpyArray): Uint8Array {
  if (!findLayout(shape, DEFAULT_IMAGE_SHAPE, false)) {
    throw new RangeError(
      `its shape is (${shape.join(', ')}), but must be one of ${listForms(DEFAULT_IMAGE_SHAPE, false)}, with n at least 1`,
    );
  }
  const unit = dtype.startsWith('f') && data.every((value: number | bigint) => value <= 1);
  const rounding = dtype === 'f2' ? FLOAT16_ROUNDING : FLOAT32_ROUNDING;
  const scaled = (value: number) => (unit ? unitToByteScale(value, rounding) : value);
  return toShared(data, 255, scaled, 'pixels must be whole numbers from 0 to 255, or these divided by 255');
}

function toLabels({ shape, data }: NpyArray): Uint8Array {
  if (shape.length !== 1) throw new RangeError(`its shape is (${shape.join(', ')}), but must be (n,)`);
  const last = CLASS_NAMES.length - 1;
  return toShared(data, last, (value) => value, `labels must be whole numbers from 0 to ${last}`);
}

function toShared(
  data: NpyArray['data'],
  maximum: number,
  scaled: (value: number) => number,
  allowed: string,
): Uint8Array {
  const isShared = data instanceof Uint8Array && data.buffer instanceof SharedArrayBuffer;
  if (isShared && maximum === 255) return data;
  const bytes = isShared ? data : new Uint8Array(new SharedArrayBuffer(data.length));
  for (let i = 0; i < data.length; i++) {
    const value = scaled(Number(data[i]!));
    if (!(value >= 0 && value <= maximum && Number.isInteger(value))) {
      throw new RangeError(`value ${i} is ${data[i]}; ${allowed}`);
    }
    bytes[i] = value;
  }
  return bytes;
}

function invalidDataset(file: string, defect: string, cause?: unknown): AtelierError {
  return new AtelierError(
    'invalid-dataset',
    `${file}: ${defect.replace(/\.$/, '')}. Repair the file, or remove it and run "npx atelier data".`,
    { cause },
  );
}
