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
import { chooseShape } from './folders/choose-shape.ts';
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
export interface MeasuredUpload extends ChosenShape {
  readonly images: number;
  /** Memory besides the pixels. */
  readonly extraBytes: number;
}

/** Measured: the name and the position of a file in an archive. */
const FILE_BYTES = 600;

/**
 * Measures the upload: of arrays the headers, of images in folders those of all, and the colours of some.
 * @throws AtelierError `invalid-dataset-file`
 */
export async function measureUpload(
  files: readonly UploadedFile[],
  fields: Fields,
  maxBytes: number,
  maxPixels: number,
): Promise<MeasuredUpload> {
  const opened = await findImages(files, fields, maxBytes);
  if (!opened) {
    const { imageCount, imageShape } = await countUpload(files, fields, maxBytes);
    return { images: imageCount, imageShape, reason: 'As in the arrays.', extraBytes: 0 };
  }
  const { part, folders, archive } = opened;
  const chosen = await chooseShape(opened, fields.imageShape, maxPixels);
  const shape = showImageShape(chosen.imageShape);
  const bytes = folders.images.length * (valueCount(chosen.imageShape) + 1);
  if (bytes > maxBytes)
    rejectPart(part, `the images take ${bytes} bytes at ${shape}; the limit is ${maxBytes}`);
  return {
    ...chosen,
    images: folders.images.length,
    extraBytes: DECODING_BYTES + archive.files.length * FILE_BYTES,
  };
}

/**
 * @param maxBytes limit of everything together, both as decompressed and as one byte per pixel and label
 * @param maxPixels limit of an encoded image
 * @throws AtelierError `invalid-dataset-file`
 */
export async function readUpload(
  files: readonly UploadedFile[],
  fields: Fields,
  measured: MeasuredUpload,
  maxBytes: number,
  maxPixels: number,
): Promise<CheckedUpload> {
  const opened = await findImages(files, fields, maxBytes);
  return opened
    ? checkImageArchive(opened, fields, measured, maxPixels)
    : checkUpload(files, fields, maxBytes);
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
