/** Forms of images: files of any accepted type, whose types are detected from their content. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AtelierError } from '../../errors.ts';
import { ENCODED_IMAGE_TYPES } from '../../images/base64.ts';
import { identifyBody } from '../../images/other-kinds.ts';
import { type Form, readForm } from './form.ts';
import type { FormLimits } from './multipart.ts';
import { toMemory } from './receive-file.ts';

/** Fields are allowed as long as they are empty. */
export const IMAGE_FORM_LIMITS: FormLimits = { files: 1000, fields: 16, fieldBytes: 1024 };
const EXAMPLE = 'curl -F file=@image.png';

const FORM: Form<z.ZodObject> = {
  fields: z.strictObject({}),
  anyField: () =>
    malformed(`a field that is not a file. Send files only, as in ${EXAMPLE}, and options in the query.`),
  files: { '*': 'several' },
  limits: IMAGE_FORM_LIMITS,
  example: () => EXAMPLE,
  tooLarge: (maxBytes) => `The files are larger than ${maxBytes} bytes in total.`,
  tooManyFiles: () =>
    new AtelierError('body-too-large', `The form has more than ${IMAGE_FORM_LIMITS.files} files.`),
  noFile: () => malformed(`no file. Send at least one, as in ${EXAMPLE}.`),
};
const malformed = (defect: string) => new AtelierError('malformed-body', `The form has ${defect}`);

/** The response repeats the name of a file for each of its images, so longer names are cut. */
const MAX_FILE_NAME_CHARS = 255;

/** A file with the signature of one of these has its type, whatever is declared. */
const DETECTED_TYPES: readonly string[] = ['application/x-npy', ...ENCODED_IMAGE_TYPES];

export interface ReceivedFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** @throws AtelierError `malformed-body`, `body-too-large` */
export async function receiveFiles(
  request: FastifyRequest,
  maxBytes: number,
): Promise<readonly ReceivedFile[]> {
  const { files } = await readForm(request, FORM, maxBytes, async (file) => {
    const bytes = await toMemory(file);
    const name = file.filename.slice(0, MAX_FILE_NAME_CHARS).toWellFormed();
    return { name, type: detectType(bytes, file.type), bytes };
  });
  return files;
}

/** Maps image/jpg, common but not registered, to image/jpeg. */
export const canonicalType = (type: string) => (type === 'image/jpg' ? 'image/jpeg' : type);

/** curl declares the type of few kinds of files. */
function detectType(bytes: Buffer, declared: string): string {
  const type = identifyBody(bytes)?.type;
  return type !== undefined && DETECTED_TYPES.includes(type) ? type : canonicalType(declared);
}
