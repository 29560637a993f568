/** Matches uploaded files, or the arrays of an npz, to their roles by name. */
import { ARRAY_NAMES, type ArrayRole, FILE_PARTS, NPZ_PART } from '../../../domain/datasets/upload-form.ts';
import { quote } from '../../../formats/models/file-error.ts';
import { type ByteSource, fileSource } from '../byte-source.ts';
import type { UploadedFile } from '../form.ts';
import { rejectPart } from '../reject-part.ts';
import { openNpz } from './npz.ts';
import { type ArrayReader, openArrayReader } from './reader.ts';

export interface LabelledArrays {
  readonly images: ArrayReader;
  readonly labels: ArrayReader;
}

/**
 * @param maxBytes limit of the decompressed arrays of an npz together
 * @returns `test` is null if no test arrays were sent
 * @throws AtelierError `invalid-dataset-file`
 */
export async function matchArrays(
  files: readonly UploadedFile[],
  maxBytes: number,
): Promise<{ train: LabelledArrays; test: LabelledArrays | null }> {
  const archive = files.find(({ part }) => part === NPZ_PART);
  if (archive && files.length > 1)
    rejectPart(NPZ_PART, 'it must hold all arrays, so no other file can be sent with it');
  const sources = archive
    ? await openNpz(NPZ_PART, archive.path, maxBytes)
    : new Map(files.map(({ part, path, bytes }) => [part, fileSource(part, path, bytes)]));
  for (const name of sources.keys()) {
    if (!FILE_PARTS.includes(name))
      rejectPart(NPZ_PART, `it has an unknown array ${quote(name)}; ${EXPECTED}`);
  }
  const array = async (role: ArrayRole) => {
    const source = findSource(sources, role);
    return source && openArrayReader(source);
  };
  const train = pairUp('train', await array('trainImages'), await array('trainLabels'));
  const test = pairUp('test', await array('testImages'), await array('testLabels'));
  return {
    train: train ?? rejectPart(archive ? NPZ_PART : 'train_images', `it is missing; ${EXPECTED}`),
    test,
  };
}

const EXPECTED = `the arrays are ${Object.values(ARRAY_NAMES)
  .map((names) => names.join(' or '))
  .join(', ')}`;

function findSource(sources: ReadonlyMap<string, ByteSource>, role: ArrayRole): ByteSource | undefined {
  const found = ARRAY_NAMES[role].flatMap((name) => sources.get(name) ?? []);
  if (found.length > 1) rejectPart(found[1]!.part, `the same array was sent as ${found[0]!.part}`);
  return found[0];
}

function pairUp(
  split: 'train' | 'test',
  images: ArrayReader | undefined,
  labels: ArrayReader | undefined,
): LabelledArrays | null {
  if (images && labels) return { images, labels };
  if (images) rejectPart(`${split}_labels`, `they are missing, but ${images.part} was sent`);
  if (labels) rejectPart(`${split}_images`, `they are missing, but ${labels.part} was sent`);
  return null;
}
