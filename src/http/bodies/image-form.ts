/** Forms of images: files of any accepted type, whose types are detected from their content. */
import type { FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { ENCODED_IMAGE_TYPES } from '../../images/base64.ts';
import { identifyBody } from '../../images/other-kinds.ts';
import { type FormOptions, IMAGE_FORM_LIMITS, readForm } from './multipart.ts';

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
export async function receiveFiles(request: FastifyRequest, maxBytes: number): Promise<ReceivedFile[]> {
  const options: FormOptions = {
    limits: IMAGE_FORM_LIMITS,
    allowRepeated: true,
    maxBytes,
    tooLarge: `The files are larger than ${maxBytes} bytes in total.`,
    tooManyFiles: () =>
      new AtelierError('body-too-large', `The form has more than ${IMAGE_FORM_LIMITS.files} files.`),
  };
  const files: ReceivedFile[] = [];
  for await (const part of readForm(request, options)) {
    if (part.kind === 'field') {
      const advice = 'Send files only, as in curl -F file=@image.png, and options in the query.';
      throw new AtelierError('malformed-body', `The form has a field that is not a file. ${advice}`);
    }
    const bytes = Buffer.concat(await Array.fromAsync(part.chunks));
    const name = part.filename.slice(0, MAX_FILE_NAME_CHARS).toWellFormed();
    files.push({ name, type: detectType(bytes, part.type), bytes });
  }
  if (files.length > 0) return files;
  throw new AtelierError(
    'malformed-body',
    'The form has no file. Send at least one, as in curl -F file=@image.png.',
  );
}

/** Maps image/jpg, common but not registered, to image/jpeg. */
export const canonicalType = (type: string) => (type === 'image/jpg' ? 'image/jpeg' : type);

/** curl declares the type of few kinds of files. */
function detectType(bytes: Buffer, declared: string): string {
  const type = identifyBody(bytes)?.type;
  return type !== undefined && DETECTED_TYPES.includes(type) ? type : canonicalType(declared);
}
