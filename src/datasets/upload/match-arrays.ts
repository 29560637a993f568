/** Which of the uploaded files, or of the arrays in an npz, is what. */
import { ARRAY_NAMES, type ArrayRole, FILE_PARTS, NPZ_PART } from '../../domain/dataset-upload.ts';
import { quote } from '../../formats/model-file-error.ts';
import { type ArrayReader, openArrayReader } from './array-reader.ts';
import { type ByteSource, fileSource } from './byte-source.ts';
import { openNpz } from './npz-file.ts';
import { rejectPart } from './reject-part.ts';

export interface UploadedFile {
  /** Name of the form's part. */
  readonly part: string;
  readonly path: string;
  readonly bytes: number;
}

export interface LabelledArrays {
  readonly images: ArrayReader;
  readonly labels: ArrayReader;
}

/**
 * @param maxBytes the most that the arrays of an npz may have together, unpacked
 * @returns `test` is null where there is none
 * @throws AtelierError `invalid-dataset-file`
 */
export async function matchArrays(
  files: readonly UploadedFile[],
  maxBytes: number,
): Promise<{ train: LabelledArrays; test: LabelledArrays | null }> {
  const archive = files.find(({ part }) => part === NPZ_PART);
  if (archive && files.length > 1)
    rejectPart(NPZ_PART, 'it holds all arrays, so that no other file is sent beside it');
  const sources = archive
    ? await openNpz(NPZ_PART, archive.path, maxBytes)
    : new Map(files.map(({ part, path, bytes }) => [part, fileSource(part, path, bytes)]));
  for (const name of sources.keys()) {
    if (!FILE_PARTS.includes(name)) rejectPart(NPZ_PART, `it has an array ${quote(name)}; ${EXPECTED}`);
  }
  const array = async (role: ArrayRole) => {
    const source = findSource(sources, role);
    return source && openArrayReader(source);
  };
  const train = pairUp('train', await array('trainImages'), await array('trainLabels'));
  const test = pairUp('test', await array('testImages'), await array('testLabels'));
  return {
    train: train ?? rejectPart(archive ? NPZ_PART : 'train_images', `it is not there; ${EXPECTED}`),
    test,
  };
}

const EXPECTED = `the arrays are ${Object.values(ARRAY_NAMES)
  .map((names) => names.join(' or '))
  .join(', ')}`;

function findSource(sources: ReadonlyMap<string, ByteSource>, role: ArrayRole): ByteSource | undefined {
  const found = ARRAY_NAMES[role].flatMap((name) => sources.get(name) ?? []);
  if (found.length > 1) rejectPart(found[1]!.part, `it is there as ${found[0]!.part} already`);
  return found[0];
}

function pairUp(
  split: 'train' | 'test',
  images: ArrayReader | undefined,
  labels: ArrayReader | undefined,
): LabelledArrays | null {
  if (images && labels) return { images, labels };
  if (images) rejectPart(`${split}_labels`, `they are not there, but ${images.part} is`);
  if (labels) rejectPart(`${split}_images`, `they are not there, but ${labels.part} is`);
  return null;
}
