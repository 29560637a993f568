/** An uploaded file of images to predict: an .npy array, or an .npz with one. */
import { open, writeFile } from 'node:fs/promises';
import { AtelierError, hasCode } from '../../../errors.ts';
import { NPY_SIGNATURE } from '../../../formats/arrays/npy-header.ts';
import { describeFile, KIND_BYTES } from '../../../formats/file-kinds.ts';
import type { PixelScale } from '../../../images/pixel-range.ts';
import type { ImageShape } from '../../../numerics/network/image-shape.ts';
import { type ByteSource, fileSource, readHead } from '../byte-source.ts';
import { checkImageArray } from './large-images.ts';
import { openNpz } from './npz.ts';

const PART = 'file';
/** Name of the array to read from an npz with several. */
const IMAGES = 'images';

export interface ImageFile {
  readonly path: string;
  readonly bytes: number;
  readonly pixels?: PixelScale | undefined;
}

export interface CheckedImageFile {
  readonly images: number;
  readonly pixels: PixelScale;
  /** Whether the array was written to `target`; otherwise it is the file itself. */
  readonly isUnpacked: boolean;
}

/**
 * Checks every number of the array.
 * @param image shape of the images that the model takes
 * @param maxBytes limit of the decompressed array
 * @param target a new file for the array of an npz
 * @throws AtelierError `malformed-body`, `body-too-large`, and the errors of `checkImageArray`
 */
export async function checkImageFile(
  { path, bytes, pixels }: ImageFile,
  image: ImageShape,
  maxBytes: number,
  target: string,
): Promise<CheckedImageFile> {
  const head = await readHead(fileSource(PART, path, bytes), KIND_BYTES);
  const start = head.toString('latin1', 0, NPY_SIGNATURE.length);
  if (start === NPY_SIGNATURE) return { ...(await checkImageArray(path, image, pixels)), isUnpacked: false };
  if (!start.startsWith('PK')) {
    const kind = bytes === 0 ? 'empty' : (describeFile(head) ?? 'of an unknown format');
    throw malformed(`it is ${kind}; send an npy array of images, or an npz with one`);
  }
  await unpack(path, maxBytes, target);
  return { ...(await checkImageArray(target, image, pixels)), isUnpacked: true };
}

async function unpack(path: string, maxBytes: number, target: string): Promise<void> {
  try {
    const array = chooseArray(openNpz(PART, path, maxBytes));
    await using file = await open(target, 'wx');
    await writeFile(file, array.open());
  } catch (error) {
    // The reader of archives describes the defect of a part of a data set.
    if (!(error instanceof AtelierError && hasCode(error, 'invalid-dataset-file'))) throw error;
    throw malformed(error.details[0]!.detail, error);
  }
}

function chooseArray(arrays: ReadonlyMap<string, ByteSource>): ByteSource {
  const [only, ...others] = arrays.values();
  const chosen = others.length === 0 ? only : arrays.get(IMAGES);
  if (chosen) return chosen;
  const names = [...arrays.keys()].slice(0, 5).join(', ');
  const found = names === '' ? 'has no arrays' : `has: ${names}`;
  throw malformed(`an npz must have one array, or one with the name ${IMAGES}, but ${found}`);
}

function malformed(defect: string, cause?: unknown): AtelierError {
  const detail = defect.replace(/\.$/, '');
  return new AtelierError('malformed-body', `The file of images cannot be read: ${detail}.`, {
    cause,
    details: [{ pointer: `#/${PART}`, detail }],
  });
}
