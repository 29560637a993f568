/** Reads an archive of images in class folders: decodes each image and converts it to the shape of the data set. */

import { type DatasetReport, MAX_LISTED_FILES } from '../../../domain/datasets/report.ts';
import type { SplitName } from '../../../domain/datasets/representation.ts';
import type { DatasetFields } from '../../../domain/datasets/upload-form.ts';
import type { Preprocessing } from '../../../domain/predictions/preprocessing.ts';
import { AtelierError } from '../../../errors.ts';
import { describeFile } from '../../../formats/file-kinds.ts';
import { openAnyImage, type PreprocessedImage } from '../../../images/encoded.ts';
import { invertPixels, type Size } from '../../../images/place.ts';
import { toLabels } from '../../../numerics/examples/labels.ts';
import { type ImageShape, valueCount } from '../../../numerics/network/image-shape.ts';
import { countExamples } from '../../catalog.ts';
import type { Tensors } from '../../tensor-cache.ts';
import { type CheckedUpload, finishUpload } from '../finish.ts';
import type { ChosenShape } from '../form.ts';
import { splitTest } from '../split-test.ts';
import type { FileArchive } from './archive.ts';
import type { ClassFolders, ClassImage } from './assign-classes.ts';
import { type DamagedReport, leaveOutDamaged, listDamaged } from './damaged.ts';
import { type UnreadImage, warnOfUnread } from './unread.ts';

/** Memory of the images that are decoded at a time; a single image that takes more is rejected. */
export const DECODING_BYTES = 128 * 2 ** 20;
/** Limit of an encoded image, held in memory. */
export const MAX_FILE_BYTES = 32 * 2 ** 20;
/** Memory of encoded images above which the next one is not read yet. */
const MAX_ENCODED_BYTES = 16 * 2 ** 20;
/** libuv has four threads. They also read and write files. */
const MAX_DECODED_AT_ONCE = 3;
/** Inverted is a set whose median border is lighter than this: networks expect light objects on black. */
const LIGHT = 128;

export interface ImageArchive {
  readonly part: string;
  readonly archive: Pick<FileArchive, 'read' | 'skipped'>;
  readonly folders: ClassFolders;
}

/**
 * Equal archives give equal data sets: the order of the files in the archive does not matter.
 * @param maxPixels limit of an image
 * @throws AtelierError `invalid-dataset-file`, naming the images that cannot be decoded
 */
export async function checkImageArchive(
  opened: ImageArchive,
  { fit, background, invert, testFraction, seed, damaged }: Omit<DatasetFields, 'name'>,
  { imageShape, reason }: ChosenShape,
  maxPixels: number,
): Promise<CheckedUpload> {
  const { part, archive, folders } = opened;
  const chosen = { fit: fit ?? 'contain', background: background ?? 'auto' } as const;
  const preprocessing = { ...chosen, invert: 'never' } as const;
  const decoded = await decodeAll(opened, preprocessing, imageShape, maxPixels, damaged === 'skip');
  const read = { ...folders, images: decoded.images };
  const isAuto = invert === null || invert === 'auto';
  // Colours have no light and dark version.
  const isInverted = isAuto ? imageShape.length === 2 && isLight(decoded.borders) : invert === 'always';
  if (isInverted) invertPixels(decoded.pixels);
  const tensors = toTensors(read, imageShape, decoded.pixels, testFraction, seed);
  return finishUpload({
    tensors,
    imageShape,
    classNames: folders.classNames,
    preprocessing: { ...chosen, invert: isInverted ? 'always' : 'never' },
    part,
    found: {
      arrays: [],
      pixels: { range: '0-255', rounded: 0 },
      heldOut: folders.hasTest ? null : { fraction: testFraction!, seed },
      imageShape: reason,
      archive: describeArchive(read, decoded),
    },
    warnings: warnOfUnread(decoded.unread, archive.skipped, folders.ignored),
  });
}

interface Decoded {
  /** Without those that are damaged. */
  readonly images: readonly ClassImage[];
  /** One row of values per image, in the order of the paths. */
  readonly pixels: Uint8Array;
  /** Median grey of the border of each image. */
  readonly borders: Uint8Array;
  readonly smallest: Size;
  readonly largest: Size;
  readonly unread: readonly UnreadImage[];
  readonly damaged: DamagedReport;
}

/** Decodes a few images at a time, within DECODING_BYTES. */
async function decodeAll(
  { part, archive, folders }: ImageArchive,
  preprocessing: Preprocessing,
  imageShape: ImageShape,
  maxPixels: number,
  skipsDamaged: boolean,
): Promise<Decoded> {
  const { images } = folders;
  const rows = new Map(images.map(({ file }, row) => [file, row]));
  const values = valueCount(imageShape);
  const pixels = new Uint8Array(images.length * values);
  const borders = new Uint8Array(images.length);
  const [widths, heights] = [new Uint32Array(images.length), new Uint32Array(images.length)];
  const damaged = new Map<number, string>();
  const others = new Map(
    folders.ignored.filter(({ why }) => why === 'other').map(({ file, path }) => [file, path]),
  );
  const unread: UnreadImage[] = [];
  /** Bytes of each encoded image in memory. */
  const pending = new Map<Promise<void>, number>();
  /** Memory of each image that is being decoded. */
  const decoding = new Map<Promise<PreprocessedImage>, number>();

  async function decode(row: number, bytes: Uint8Array): Promise<void> {
    const image = await openAnyImage(bytes, maxPixels, 'dataset');
    const needed = image.decodingBytes + bytes.length;
    if (needed > DECODING_BYTES) throw new RangeError(`decoding it takes ${needed} bytes of memory`);
    while (decoding.size > 0 && sum(decoding) + needed > DECODING_BYTES)
      await Promise.race(decoding.keys()).catch(() => {}); // its own caller handles the error
    const work = image.decode(preprocessing, imageShape).finally(() => decoding.delete(work));
    decoding.set(work, needed);
    const { batch, border } = await work;
    widths[row] = image.width;
    heights[row] = image.height;
    pixels.set(batch.pixels, row * values);
    borders[row] = border;
  }

  for await (const { index, bytes } of archive.read({ whole: rows, starts: others })) {
    const row = rows.get(index);
    if (row === undefined) {
      const kind = describeFile(bytes);
      if (kind?.endsWith(' image')) unread.push({ path: others.get(index)!, kind });
      continue;
    }
    const work = decode(row, bytes)
      .catch((error) => void damaged.set(row, describeDefect(error)))
      .finally(() => pending.delete(work));
    pending.set(work, bytes.length);
    while (pending.size >= MAX_DECODED_AT_ONCE || sum(pending) > MAX_ENCODED_BYTES)
      await Promise.race(pending.keys());
  }
  await Promise.all(pending.keys());
  const kept =
    damaged.size === 0 ? [...images.keys()] : leaveOutDamaged(part, folders, damaged, skipsDamaged);
  for (const [to, from] of kept.entries()) {
    if (to === from) continue;
    pixels.copyWithin(to * values, from * values, (from + 1) * values);
    for (const numbers of [borders, widths, heights]) numbers[to] = numbers[from]!;
  }
  const [keptWidths, keptHeights] = [widths.subarray(0, kept.length), heights.subarray(0, kept.length)];
  return {
    images: kept.map((row) => images[row]!),
    pixels: pixels.subarray(0, kept.length * values),
    borders: borders.subarray(0, kept.length),
    smallest: { width: keptWidths.reduce(smaller), height: keptHeights.reduce(smaller) },
    largest: { width: keptWidths.reduce(larger), height: keptHeights.reduce(larger) },
    unread,
    damaged: listDamaged(images, damaged),
  };
}

const sum = (bytes: ReadonlyMap<unknown, number>) => bytes.values().reduce((total, each) => total + each, 0);

const smaller = (a: number, b: number) => Math.min(a, b);
const larger = (a: number, b: number) => Math.max(a, b);

function describeDefect(error: unknown): string {
  if (error instanceof AtelierError || error instanceof RangeError) return error.message.replace(/\.$/, '');
  throw error;
}

/** Whether most images have a light border. */
function isLight(borders: Uint8Array): boolean {
  return 2 * borders.reduce((count, border) => count + (border >= LIGHT ? 1 : 0), 0) > borders.length;
}

function toTensors(
  { images, classNames }: ClassFolders,
  imageShape: ImageShape,
  pixels: Uint8Array,
  testFraction: number | null,
  seed: number,
): Tensors {
  const labels = toLabels(
    classNames.length,
    images.map(({ label }) => label),
  );
  const values = valueCount(imageShape);
  // The images of a split follow each other.
  const select = (wanted: SplitName) => {
    const start = images.findIndex(({ split }) => split === wanted);
    const end = images.findLastIndex(({ split }) => split === wanted) + 1;
    if (start < 0) return null;
    return { pixels: pixels.subarray(start * values, end * values), labels: labels.subarray(start, end) };
  };
  const [train, validation, test] = [select('train')!, select('validation'), select('test')];
  return { ...(test ? { train, test } : splitTest(train, imageShape, testFraction!, seed)), validation };
}

function describeArchive(
  { images, ignored, classNames, layout, table }: ClassFolders,
  { smallest, largest, damaged }: Decoded,
): NonNullable<DatasetReport['archive']> {
  const labels = images.map(({ label }) => label);
  return {
    layout,
    ...(table && { table }),
    damaged,
    images: images.length,
    imagesPerClass: countExamples(labels, classNames.length).examplesPerClass,
    smallest: [smallest.width, smallest.height],
    largest: [largest.width, largest.height],
    ignored: { files: ignored.length, first: ignored.slice(0, MAX_LISTED_FILES).map(({ path }) => path) },
  };
}
