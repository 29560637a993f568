/** Finds out what an upload holds, arrays or images in class folders, and reads it. */
import { type DatasetFields, NPZ_PART } from '../../domain/datasets/upload-form.ts';
import { showImageShape } from '../../domain/image-shape.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import type { UploadedFile } from './arrays/match-roles.ts';
import { fileSource } from './byte-source.ts';
import { checkUpload, countUpload } from './check.ts';
import type { CheckedUpload } from './finish.ts';
import { openArchive } from './folders/archive.ts';
import { isImageName } from './folders/assign-classes.ts';
import { chooseShape, requestedShape } from './folders/choose-shape.ts';
import {
  type ChosenShape,
  checkImageArchive,
  DECODING_BYTES,
  type ImageArchive,
  openImageArchive,
} from './folders/images.ts';
import { rejectPart } from './reject-part.ts';

type Fields = Omit<DatasetFields, 'name'>;

/** The content of an upload, by its headers. */
export interface MeasuredUpload {
  readonly images: number;
  /** Null if it depends on the images in folders: `chooseUploadShape` then has it. */
  readonly chosen: ChosenShape | null;
  /** Memory besides the pixels: of images in folders, to decode them. */
  readonly extraBytes: number;
}

/** Measured: the name and the position of a file in an archive. */
const FILE_BYTES = 600;

/**
 * Measures the upload by the headers of its arrays, or the list of its files. Decodes nothing.
 * @throws AtelierError `invalid-dataset-file`
 */
export async function measureUpload(
  files: readonly UploadedFile[],
  fields: Fields,
  maxBytes: number,
): Promise<MeasuredUpload> {
  const opened = await findImages(files, fields, maxBytes);
  if (!opened) {
    const { imageCount, imageShape } = await countUpload(files, fields, maxBytes);
    return { images: imageCount, chosen: { imageShape, reason: 'As in the arrays.' }, extraBytes: 0 };
  }
  const chosen = requestedShape(fields.imageShape);
  if (chosen) assertFits(opened, chosen, maxBytes);
  return {
    images: opened.folders.images.length,
    chosen,
    extraBytes: DECODING_BYTES + opened.archive.files.length * FILE_BYTES,
  };
}

/**
 * Chooses the shape of images in folders by the headers of all and the colours of some. Takes `extraBytes` of memory.
 * @param maxPixels limit of an encoded image
 * @throws AtelierError `invalid-dataset-file`
 */
export async function chooseUploadShape(
  files: readonly UploadedFile[],
  fields: Fields,
  maxBytes: number,
  maxPixels: number,
): Promise<ChosenShape> {
  const opened = (await findImages(files, fields, maxBytes))!;
  const chosen = await chooseShape(opened, maxPixels);
  assertFits(opened, chosen, maxBytes);
  return chosen;
}

function assertFits({ part, folders }: ImageArchive, { imageShape }: ChosenShape, maxBytes: number): void {
  const bytes = folders.images.length * (valueCount(imageShape) + 1);
  const shape = showImageShape(imageShape);
  if (bytes > maxBytes)
    rejectPart(part, `the images take ${bytes} bytes at ${shape}; the limit is ${maxBytes}`);
}

/**
 * @param maxBytes limit of everything together, both as decompressed and as one byte per pixel and label
 * @param maxPixels limit of an encoded image
 * @throws AtelierError `invalid-dataset-file`
 */
export async function readUpload(
  files: readonly UploadedFile[],
  fields: Fields,
  chosen: ChosenShape,
  maxBytes: number,
  maxPixels: number,
): Promise<CheckedUpload> {
  const opened = await findImages(files, fields, maxBytes);
  return opened ? checkImageArchive(opened, fields, chosen, maxPixels) : checkUpload(files, fields, maxBytes);
}

/** @returns undefined if the upload holds arrays */
async function findImages(
  files: readonly UploadedFile[],
  fields: Fields,
  maxBytes: number,
): Promise<ImageArchive | undefined> {
  const [file] = files;
  const isAlone = files.length === 1 && file?.part === NPZ_PART;
  const archive = isAlone
    ? await openArchive({ ...fileSource(file.part, file.path, file.bytes), path: file.path }, maxBytes)
    : undefined;
  const holdsArrays = archive?.files.some(({ name }) => name.endsWith('.npy')) ?? true;
  if (archive && (!holdsArrays || archive.files.some(({ name }) => isImageName(name))))
    return openImageArchive(file!.part, archive, fields);
  for (const field of ['fit', 'background', 'invert'] as const) {
    if (fields[field] !== null) rejectPart(field, 'it applies to images in class folders only');
  }
  return undefined;
}
