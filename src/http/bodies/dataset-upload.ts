/** The form with which a data set is uploaded: files go to the disk as they arrive. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyError, FastifyRequest } from 'fastify';
import type { UploadedFile } from '../../datasets/upload/match-arrays.ts';
import { type DatasetFields, datasetFieldsSchema, FILE_PARTS } from '../../domain/dataset-upload.ts';
import { AtelierError } from '../../errors.ts';
import { isStorageFull, storageFull } from '../../store/directory.ts';
import { validatorCompiler } from '../validation/zod-validator.ts';

export interface DatasetUpload {
  readonly fields: DatasetFields;
  readonly files: readonly (UploadedFile & { readonly digest: string })[];
}

/** Of all that is no file, and of what a form wraps its parts in. */
const MAX_FORM_OVERHEAD_BYTES = 2 ** 20;
/** More than can be meant: what is too much is refused by name first. The class names are the longest field. */
export const FORM_LIMITS = { files: 16, fields: 16, parts: 32, fieldSize: 64 * 1024, fieldNameSize: 64 };

/**
 * @param newFile names a file for a part
 * @param maxBytes of all files together
 * @param use the files are there until it is done
 * @throws AtelierError `malformed-body`, `invalid-request`, `body-too-large`, `storage-full`
 */
export async function withDatasetUpload<T>(
  request: FastifyRequest,
  { newFile, discard }: { newFile: () => string; discard: (file: string) => Promise<void> },
  maxBytes: number,
  use: (form: DatasetUpload) => Promise<T>,
): Promise<T> {
  if (Number(request.headers['content-length']) > maxBytes + MAX_FORM_OVERHEAD_BYTES)
    throw tooLarge(maxBytes);
  const files: (UploadedFile & { digest: string })[] = [];
  const paths: string[] = [];
  try {
    const fields: Record<string, string> = {};
    let bytesLeft = maxBytes;
    for await (const part of request.parts()) {
      const { fieldname: name } = part;
      // Its type has it that there always is one.
      if (!name) throw malformed('a part of it has no name');
      if (Object.hasOwn(fields, name) || files.some((file) => file.part === name))
        rejectPart(name, 'is there twice');
      if (part.type === 'field') {
        if (part.valueTruncated) rejectPart(name, `is longer than ${FORM_LIMITS.fieldSize} bytes`);
        // A field that says it is JSON has been parsed.
        fields[name] = typeof part.value === 'string' ? part.value : JSON.stringify(part.value);
        continue;
      }
      if (!FILE_PARTS.includes(name))
        rejectPart(name, `is no file of a data set; those are ${FILE_PARTS.join(', ')}`);
      const path = newFile();
      paths.push(path);
      const file = { part: name, path, ...(await receiveFile(part, path, bytesLeft, maxBytes)) };
      bytesLeft -= file.bytes;
      files.push(file);
    }
    if (files.length === 0) throw malformed('it has no file. Send one, as in curl -F file=@mine.npz');
    return await use({ fields: parseFields(fields), files });
  } catch (error) {
    throw toFormError(error, maxBytes);
  } finally {
    for (const path of paths) await discard(path);
  }
}

async function receiveFile(part: MultipartFile, path: string, bytesLeft: number, maxBytes: number) {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of part.file) {
      bytes += chunk.length;
      if (bytes > bytesLeft) throw tooLarge(maxBytes);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } catch (error) {
    throw isStorageFull(error) ? storageFull('the data set', error) : error;
  } finally {
    await file.close();
  }
  return { bytes, digest: `sha256:${hash.digest('hex')}` };
}

/** In the words in which any body is refused. */
function parseFields(fields: Record<string, string>): DatasetFields {
  const validate = validatorCompiler({ schema: datasetFieldsSchema, httpPart: 'body', method: '', url: '' });
  const { error, value } = validate(fields) as { error?: Error; value?: DatasetFields };
  if (error) throw error;
  return value!;
}

/** The parser under the plug-in throws errors of no kind for bytes that are not a form. */
function toFormError(error: unknown, maxBytes: number): unknown {
  if (error instanceof AtelierError) return error;
  const { code, message, stack } = error as FastifyError;
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge(maxBytes);
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return malformed(`it has more than ${FORM_LIMITS.fields} fields`, error);
  }
  if (code !== undefined || !stack?.includes('busboy')) return error;
  return malformed(message, error);
}

function malformed(defect: string, cause?: unknown): AtelierError {
  return new AtelierError('malformed-body', `The form cannot be read: ${defect}.`, { cause });
}

function rejectPart(part: string, detail: string): never {
  throw new AtelierError('invalid-request', `The form does not fit. ${part.slice(0, 64)} ${detail}.`, {
    details: [{ pointer: `#/${part}`, detail }],
  });
}

function tooLarge(maxBytes: number): AtelierError {
  return new AtelierError(
    'body-too-large',
    `The files of a data set take at most ${maxBytes} bytes together, the MAX_DATASET_BYTES of this service. Images of u1 take the least.`,
  );
}
