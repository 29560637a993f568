/** Recognizes the form of an upload and opens it. Each form is one file, and one line here. */
import { NPZ_PART } from '../../domain/datasets/upload-form.ts';
import { openArrays } from './arrays/open-arrays.ts';
import { openCifar } from './arrays/open-cifar.ts';
import { fileSource } from './byte-source.ts';
import { openArchive } from './folders/archive.ts';
import { openImageFolders } from './folders/open-folders.ts';
import { rejectForeignFiles } from './foreign-files.ts';
import type { OpenedUpload, OpenForm, SentFiles } from './form.ts';
import { openParquetTables } from './tables/open-parquet.ts';
import { openPixelTables } from './tables/open-pixel-tables.ts';

/** In the order in which they are tried; the last one rejects what it does not recognize. */
const FORMS: readonly OpenForm[] = [
  openParquetTables,
  openPixelTables,
  openCifar,
  openImageFolders,
  openArrays,
];

/**
 * Opens the files once: the result measures, chooses the shape and reads.
 * @throws AtelierError `invalid-dataset-file`
 */
export async function openUpload(sent: Omit<SentFiles, 'archive'>): Promise<OpenedUpload> {
  const { files, maxBytes } = sent;
  const [file] = files;
  const isAlone = files.length === 1 && file!.part === NPZ_PART;
  const archive = isAlone
    ? await openArchive({ ...fileSource(file!.part, file!.path, file!.bytes), path: file!.path }, maxBytes)
    : undefined;
  const all = { ...sent, archive };
  for (const open of FORMS) {
    const opened = await open(all).catch(async (error) => {
      // Its own error does not say how to convert the file.
      await rejectForeignFiles(all);
      throw error;
    });
    if (opened) return opened;
  }
  throw new Error('The last form accepts or rejects every upload.');
}
