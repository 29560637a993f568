/** The interface of the forms of uploads: what every form returns once it has recognized its files. */
import type { DatasetFields } from '../../domain/datasets/upload-form.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import type { CheckedUpload } from './finish.ts';
import type { FileArchive } from './folders/archive.ts';

export interface UploadedFile {
  /** Name of the form part. */
  readonly part: string;
  readonly path: string;
  readonly bytes: number;
}

export type UploadFields = Omit<DatasetFields, 'name'>;

/** The files of a request. */
export interface SentFiles {
  readonly files: readonly UploadedFile[];
  /** The only file, if it is a zip or tar archive. */
  readonly archive: FileArchive | undefined;
  readonly fields: UploadFields;
  /** Limit of everything together, both as decompressed and as one byte per pixel and label. */
  readonly maxBytes: number;
}

/** The shape of the data set. */
export interface ChosenShape {
  readonly imageShape: ImageShape;
  /** Why, for the report. */
  readonly reason: string;
}

/** The content of an upload, by its headers. */
export interface MeasuredUpload {
  readonly images: number;
  /** Null if it depends on the images: `choose` then finds it. */
  readonly chosen: ChosenShape | null;
  /** Memory besides the pixels, such as that to decode images. */
  readonly extraBytes: number;
}

/** An upload whose headers are valid, and of which nothing is decoded yet. */
export interface OpenedUpload extends MeasuredUpload {
  /**
   * Chooses the shape by the headers of all images and the colours of some. Takes `extraBytes` of memory.
   * @param maxPixels limit of an encoded image
   * @throws AtelierError `invalid-dataset-file`
   */
  choose(maxPixels: number): Promise<ChosenShape>;
  /** @throws AtelierError `invalid-dataset-file` */
  read(chosen: ChosenShape, maxPixels: number): Promise<CheckedUpload>;
}

/** Opens an upload, or returns undefined if it has another form. @throws AtelierError `invalid-dataset-file` */
export type OpenForm = (sent: SentFiles) => Promise<OpenedUpload | undefined>;
