/**
 * The file of a data set's tensors: a head, then pixels and labels of train with validation, then of test; labels as in
 * numerics/examples/labels.ts.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Dataset, DatasetSummary } from '../domain/datasets/representation.ts';
import { AtelierError } from '../errors.ts';
import { openRegularFile } from '../formats/regular-file.ts';
import { bytesPerLabel, type Labels, labelBytes, toLabels } from '../numerics/examples/labels.ts';
import {
  DEFAULT_IMAGE_SHAPE,
  type ImageShape,
  isSameShape,
  valueCount,
} from '../numerics/network/image-shape.ts';
import type { Examples } from '../numerics/training/engine.ts';
import { type LoadedTensors, type Tensors, tensorBytes } from './tensor-cache.ts';

const CHUNK_BYTES = 2 ** 22;
/** Node aborts the process if one call is to read 2 GiB. */
const MAX_READ_BYTES = 2 ** 30;

/**
 * Writes and syncs the file. The caller must sync the directory to make it durable.
 * @returns the data set's digest
 */
export async function writeTensorFile(
  path: string,
  imageShape: ImageShape,
  tensors: Tensors,
): Promise<string> {
  await using file = await open(path, 'wx');
  const hash = createHash('sha256');
  for (const bytes of fileParts(imageShape, tensors)) {
    for (const chunk of chunks(bytes)) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  }
  await file.sync();
  return formatDigest(hash);
}

/**
 * Reads the file into shared memory.
 * @throws AtelierError `dataset-damaged` if it cannot be read, or its size or digest differs
 */
export async function readTensorFile(path: string, dataset: DatasetSummary): Promise<LoadedTensors> {
  const { train, validation, test } = dataset.splits;
  const values = valueCount(dataset.imageShape);
  const classes = dataset.classNames.length;
  const bytes = bytesPerLabel(classes);
  const memory = new SharedArrayBuffer(tensorBytes(dataset));
  let offset = 0;
  const view = (length: number) => {
    offset += length;
    return new Uint8Array(memory, offset - length, length);
  };
  const viewBytes = (count: number) => ({ pixels: view(count * values), labels: view(count * bytes) });
  const learningBytes = viewBytes(train.examples + (validation?.examples ?? 0));
  const testBytes = viewBytes(test.examples);
  const digest = await fill(new Uint8Array(memory), path, dataset).catch((cause: NodeJS.ErrnoException) => {
    // System messages contain the path. Clients must not see it.
    throw damaged(
      dataset,
      cause.code === undefined ? cause.message : `it cannot be read (${cause.code})`,
      cause,
    );
  });
  if (digest !== dataset.digest) throw damaged(dataset, 'its digest differs from the one stored at upload');
  const share = ({ pixels, labels }: ReturnType<typeof viewBytes>): Examples => ({
    pixels,
    labels: shareLabels(classes, labels),
  });
  const learning = share(learningBytes);
  const part = (from: number, end?: number): Examples => ({
    pixels: learning.pixels.subarray(from * values, end && end * values),
    labels: learning.labels.subarray(from, end),
  });
  return {
    train: part(0, train.examples),
    validation: validation ? part(train.examples) : null,
    learning,
    test: share(testBytes),
  };
}

/** The labels of these bytes. Those of two bytes are copied, because they may begin at an odd address. */
function shareLabels(classes: number, bytes: Uint8Array): Labels {
  if (bytesPerLabel(classes) === 1) return bytes;
  const labels = new Uint16Array(new SharedArrayBuffer(bytes.length));
  labelBytes(labels).set(bytes);
  return labels;
}

/** `sha256:` and the digest of the pixels of a split, and of how its labels group them. */
export function digestSplit({ pixels, labels }: Examples): string {
  return formatDigest(createHash('sha256').update(pixels).update(renumber(labels)));
}

/**
 * Numbers the classes in the order of their first images. Another order of the class names, or a class that only training
 * images have, changes the labels of a test split, but not what its images show.
 */
function renumber(labels: Labels): Labels {
  const numbers = new Map([...new Set(labels)].map((label, n) => [label, n]));
  return toLabels(
    numbers.size,
    labels.map((label) => numbers.get(label)!),
  );
}

async function fill(
  memory: Uint8Array,
  path: string,
  { imageShape, splits }: DatasetSummary,
): Promise<string> {
  await using file = await openRegularFile(path);
  const { size } = await file.stat();
  const expected = head(imageShape, splits.validation?.examples);
  const bytes = expected.length + memory.length;
  if (size !== bytes) throw new RangeError(`it has ${size} bytes instead of ${bytes}`);
  const found = Buffer.alloc(expected.length);
  await readFully(file, found);
  if (!found.equals(expected)) throw new RangeError('its digest differs from the one stored at upload');
  const hash = createHash('sha256').update(found);
  for (const chunk of chunks(memory)) {
    await readFully(file, chunk);
    hash.update(chunk);
  }
  return formatDigest(hash);
}

/** The digest of a data set, which is that of its file. */
export function digestDataset({ imageShape, ...tensors }: Tensors & Pick<Dataset, 'imageShape'>): string {
  const hash = createHash('sha256');
  for (const bytes of fileParts(imageShape, tensors)) hash.update(bytes);
  return formatDigest(hash);
}

/** The content of the file, in order. Training and validation images follow each other, so that a view holds both. */
function fileParts(imageShape: ImageShape, { train, validation, test }: Tensors): Uint8Array[] {
  const learning = validation ? [train, validation] : [train];
  return [
    head(imageShape, validation?.labels.length),
    ...learning.map(({ pixels }) => pixels),
    ...learning.map(({ labels }) => labelBytes(labels)),
    test.pixels,
    labelBytes(test.labels),
  ];
}

/**
 * The first bytes of the file: a shape other than the default, as JSON, or the shape and the number of validation images. They
 * are part of the digest, because the same bytes of 14×56 are other images, and of another split another data set, and the
 * digest is the address of the file where processes share it.
 */
function head(imageShape: ImageShape, validation: number | undefined): Uint8Array {
  if (validation !== undefined) return Buffer.from(JSON.stringify({ imageShape, validation }));
  const isDefault = isSameShape(imageShape, DEFAULT_IMAGE_SHAPE);
  return Buffer.from(isDefault ? '' : JSON.stringify(imageShape));
}

/** Reads `bytes.length` bytes, by default the next ones. @throws RangeError if the file ends before */
export async function readFully(file: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  for (let read = 0; read < bytes.length; ) {
    const at = position === undefined ? null : position + read;
    const length = Math.min(bytes.length - read, MAX_READ_BYTES);
    const { bytesRead } = await file.read(bytes, read, length, at);
    if (bytesRead === 0) throw new RangeError('it was truncated while it was being read');
    read += bytesRead;
  }
}

function* chunks(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

function formatDigest(hash: Hash): string {
  return `sha256:${hash.digest('hex')}`;
}

function damaged({ id }: DatasetSummary, defect: string, cause?: unknown): AtelierError {
  return new AtelierError(
    'dataset-damaged',
    `The file of data set ${id} is damaged: ${defect}. Upload the data set again (it keeps its id), or restore the file from a backup.`,
    { cause },
  );
}
