/** Matches uploaded files, or the arrays of an npz, to their roles by name. */
import type { SplitName } from '../../../domain/datasets/representation.ts';
import { NPZ_PART } from '../../../domain/datasets/upload-form.ts';
import { quote } from '../../../formats/models/file-error.ts';
import { type ByteSource, fileSource } from '../byte-source.ts';
import type { FileArchive } from '../folders/archive.ts';
import type { UploadedFile } from '../form.ts';
import { rejectPart } from '../reject-part.ts';
import { findSplit } from '../split-names.ts';
import { rejectOther } from './npz.ts';
import { type ArrayReader, openArrayReader } from './reader.ts';

export interface LabelledArrays {
  readonly images: ArrayReader;
  readonly labels: ArrayReader;
}

/** The arrays of each split. */
export interface SplitArrays {
  readonly train: LabelledArrays;
  readonly validation: LabelledArrays | null;
  readonly test: LabelledArrays | null;
}

type Kind = 'images' | 'labels';

/** Words for images and labels in the names that Keras, MedMNIST, scikit-learn and PyTorch give to arrays. */
const KINDS: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    ['x', 'image', 'images', 'imgs', 'data', 'pixels'].map((word) => [word, 'images' as const]),
  ),
  ...Object.fromEntries(
    ['y', 'label', 'labels', 'target', 'targets'].map((word) => [word, 'labels' as const]),
  ),
};
/** Parts of the names of files that mean nothing: `t10k-images-idx3-ubyte.gz` are the test images of MNIST. */
const ENDINGS = new Set(['idx1', 'idx3', 'ubyte', 'npy', 'gz']);
const MNIST_TEST = 't10k';
/** Descriptions that scikit-learn stores beside the arrays. */
const DESCRIPTIONS = new Set(['DESCR', 'frame', 'feature_names', 'target_names']);
const ENDING = /\.npy$|[.-]idx\d-ubyte(?:\.gz)?$/i;

/** Whether a file of an archive is an array, by its name. */
export const isArrayName = (name: string) => ENDING.test(name);

interface Role {
  readonly split: SplitName;
  readonly kind: Kind;
}

/** The role of an array by the words of its name: a kind, and a split or none for training. */
function findRole(name: string): Role | undefined {
  const words = name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => !ENDINGS.has(word));
  const kinds = words.filter((word) => Object.hasOwn(KINDS, word));
  const splits = words.filter((word) => word === MNIST_TEST || findSplit(word));
  if (kinds.length !== 1 || splits.length > 1 || kinds.length + splits.length < words.length)
    return undefined;
  const [split = 'train'] = splits;
  return { kind: KINDS[kinds[0]!]!, split: split === MNIST_TEST ? 'test' : findSplit(split)! };
}

/**
 * @param archive the upload if it is an archive
 * @returns `validation` and `test` are null if no such arrays were sent
 * @throws AtelierError `invalid-dataset-file`
 */
export async function matchArrays(
  files: readonly UploadedFile[],
  archive: FileArchive | undefined,
): Promise<SplitArrays> {
  const file = files.find(({ part }) => part === NPZ_PART);
  if (file && files.length > 1)
    rejectPart(NPZ_PART, 'it must hold all arrays, so no other file can be sent with it');
  if (file && !archive) await rejectOther(fileSource(file.part, file.path, file.bytes));
  const sources = archive
    ? listArrays(archive)
    : files.map(({ part, path, bytes }) => fileSource(part, path, bytes));
  const found = new Map<string, ByteSource>();
  for (const source of sources) {
    const role = findRole(source.part);
    if (!role) return rejectPart(NPZ_PART, `it has an unknown array ${quote(source.part)}; ${EXPECTED}`);
    const key = `${role.split} ${role.kind}`;
    const known = found.get(key);
    if (known) rejectPart(source.part, `the same array was sent as ${known.part}`);
    found.set(key, source);
  }
  const array = async (split: SplitName, kind: Kind) => {
    const source = found.get(`${split} ${kind}`);
    return source && openArrayReader(source);
  };
  const train = pairUp('train', await array('train', 'images'), await array('train', 'labels'));
  const validation = pairUp('val', await array('validation', 'images'), await array('validation', 'labels'));
  const test = pairUp('test', await array('test', 'images'), await array('test', 'labels'));
  return {
    train: train ?? rejectPart(archive ? NPZ_PART : 'train_images', `it is missing; ${EXPECTED}`),
    validation,
    test,
  };
}

/** The arrays of an archive by their names; of scikit-learn's two forms of the same images the one with rows. */
function listArrays(archive: FileArchive): ByteSource[] {
  const arrays = archive.files.map(({ name }, index) => {
    const part = name
      .split(/[/\\]/)
      .at(-1)!
      .replace(/\.npy$/, '');
    return archive.source(index, part);
  });
  const parts = arrays.map(({ part }) => part);
  const isRepeated = parts.includes('images') && parts.includes('data');
  return arrays.filter(({ part }) => !DESCRIPTIONS.has(part) && !(isRepeated && part === 'data'));
}

const EXPECTED =
  'the arrays are train_images, train_labels, val_images, val_labels, test_images and test_labels, or x_train, y_train and so on, or images and labels';

function pairUp(
  split: 'train' | 'val' | 'test',
  images: ArrayReader | undefined,
  labels: ArrayReader | undefined,
): LabelledArrays | null {
  if (images && labels) return { images, labels };
  if (images) rejectPart(`${split}_labels`, `they are missing, but ${images.part} was sent`);
  if (labels) rejectPart(`${split}_images`, `they are missing, but ${labels.part} was sent`);
  return null;
}
