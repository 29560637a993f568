/** The folders of the real data set, which `npm run data` fills, and of a part of it for short trainings. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CLASS_NAMES, datasetFile } from '../../src/datasets/fashion-mnist.ts';
import { npyBytes, parseNpy } from '../../src/formats/arrays/npy.ts';

const ROOT = join(import.meta.dirname, '../..');
export const DATA_DIR = join(ROOT, 'data');

/** Images of each class in `SMALL_DATA_DIR`. */
const PER_CLASS = { train: 600, test: 100 };

const CACHE = join(ROOT, 'node_modules/.cache');

/**
 * A tenth of the images, so that a service starts sooner and a short training does not spend its time with the others. A
 * training that must last for a while, and a test that needs a number of images, need `DATA_DIR`.
 */
export const SMALL_DATA_DIR = join(CACHE, `small-data-${PER_CLASS.train}-${PER_CLASS.test}`);
if (!existsSync(SMALL_DATA_DIR)) makeSmall();

/** Several test files may do this at the same time; the first one that has finished wins. */
function makeSmall(): void {
  mkdirSync(CACHE, { recursive: true });
  const directory = mkdtempSync(join(CACHE, 'small-data-'));
  writeFirst(directory, 'train');
  writeFirst(directory, 'test');
  // Some services run as another user.
  chmodSync(directory, 0o755);
  try {
    renameSync(directory, SMALL_DATA_DIR);
  } catch (error) {
    rmSync(directory, { recursive: true });
    if (!existsSync(SMALL_DATA_DIR)) throw error;
  }
}

/** Writes the first images of each class of a split. */
function writeFirst(directory: string, split: keyof typeof PER_CLASS): void {
  const read = (kind: 'images' | 'labels') =>
    parseNpy(readFileSync(join(DATA_DIR, datasetFile(split, kind)))).data as Uint8Array;
  const [images, labels] = [read('images'), read('labels')];
  const left = CLASS_NAMES.map(() => PER_CLASS[split]);
  const kept = [...labels.keys()].filter((n) => left[labels[n]!]!-- > 0);
  const pixels = new Uint8Array(kept.length * 784);
  for (const [to, from] of kept.entries())
    pixels.set(images.subarray(from * 784, (from + 1) * 784), to * 784);
  const write = (kind: 'images' | 'labels', bytes: Uint8Array) =>
    writeFileSync(join(directory, datasetFile(split, kind)), bytes);
  write('images', npyBytes(pixels, [kept.length, 28, 28]));
  write(
    'labels',
    npyBytes(
      Uint8Array.from(kept, (n) => labels[n]!),
      [kept.length],
    ),
  );
}
