/** Upload of a data set: a form whose files are written to disk as they arrive. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FastifyRequest } from 'fastify';
import type { UploadedFile } from '../../datasets/upload/form.ts';
import { type DatasetFields, datasetFieldsSchema, FILE_PARTS } from '../../domain/datasets/upload-form.ts';
import { isDiskFull, storageFull } from '../../store/blobs/directory.ts';
import { parseBody } from '../validation/zod-validator.ts';
import {
  DATASET_FORM_LIMITS,
  type FormFile,
  type FormOptions,
  invalidPart,
  malformedForm,
  readForm,
} from './multipart.ts';

type ReceivedFile = UploadedFile & { readonly digest: string };

export interface DatasetUpload {
  readonly fields: DatasetFields;
  readonly files: readonly ReceivedFile[];
}

/**
 * Writes each file of the form to a path from `newFile`, calls `use` with the upload, and deletes the files with
 * `discard`, also after an error.
 * @param maxBytes size limit of all files together
 * @throws AtelierError `malformed-body`, `invalid-request`, `body-too-large`, `storage-full`, and the errors of `use`
 */
export async function withDatasetUpload<T>(
  request: FastifyRequest,
  { newFile, discard }: { newFile: () => string; discard: (file: string) => Promise<void> },
  maxBytes: number,
  use: (upload: DatasetUpload) => Promise<T>,
): Promise<T> {
  const options: FormOptions = {
    limits: DATASET_FORM_LIMITS,
    maxBytes,
    tooLarge: `The files of the data set are larger than the limit MAX_DATASET_BYTES, ${maxBytes} bytes in total. Images of dtype u1 take the least space.`,
    tooManyFiles: () => malformedForm(`it has more than ${DATASET_FORM_LIMITS.files} files`),
  };
  const files: ReceivedFile[] = [];
  const paths: string[] = [];
  try {
    const fields: Record<string, string> = {};
    for await (const part of readForm(request, options)) {
      const { name } = part;
      const isFilePart = FILE_PARTS.includes(name);
      if (part.kind === 'field') {
        if (isFilePart) throw invalidPart(name, `Must be a file, as in curl -F ${name}=@mine.npz.`);
        fields[name] = part.value;
        continue;
      }
      if (name in datasetFieldsSchema.shape) throw invalidPart(name, 'Must be text, not a file.');
      if (!isFilePart) {
        throw invalidPart(name, `Is not a file of a data set. Allowed: ${FILE_PARTS.join(', ')}.`);
      }
      const path = newFile();
      paths.push(path);
      files.push({ part: name, path, ...(await receiveFile(part, path, 'the data set')) });
    }
    if (files.length === 0) throw malformedForm('it has no file. Send one, as in curl -F file=@mine.npz');
    return await use({ fields: parseBody(datasetFieldsSchema, fields), files });
  } finally {
    for (const path of paths) await discard(path);
  }
}

/**
 * Writes a file of a form to a new path.
 * @param what the object that is stored, for the error
 * @throws AtelierError `storage-full`
 */
export async function receiveFile(
  { chunks }: FormFile,
  path: string,
  what: string,
): Promise<{ bytes: number; digest: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } catch (error) {
    throw isDiskFull(error) ? storageFull(what, error) : error;
  } finally {
    await file.close();
  }
  return { bytes, digest: `sha256:${hash.digest('hex')}` };
}
