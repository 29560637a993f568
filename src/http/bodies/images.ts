/** Image bodies of every content type → what a prediction is computed from. */

import multipart from '@fastify/multipart';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { type EncodedImages, inFileError } from '../../datasets/decode-images.ts';
import { containImage, countPixels, decodeImage } from '../../datasets/encoded-image.ts';
import type { ImageQuery } from '../../domain/image-query.ts';
import { AtelierError } from '../../errors.ts';
import { NPY_SIGNATURE } from '../../formats/npy-header.ts';

const ENCODED_IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const;
const BODY_TYPES = [
  'application/json',
  'application/octet-stream',
  'application/x-npy',
  ...ENCODED_IMAGE_TYPES,
];
export const MAX_FILES = 1000;
/** Of all pictures of a form that are made to fit: two of the largest, or a thousand of 316×316. */
export const MAX_FORM_PIXELS = 100_000_000;

/** What a file begins with; curl names the type of few files. */
const SIGNATURES: readonly (readonly [signature: string, type: string])[] = [
  [NPY_SIGNATURE, 'application/x-npy'],
  ['\x89PNG', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
  ['RIFF', 'image/webp'],
];

/** In a scope of its own: these routes take every body as bytes, large JSON being parsed by a thread. */
export async function registerImageBodies(scope: FastifyInstance, maxBodyBytes: number): Promise<void> {
  await scope.register(multipart, {
    throwFileSizeLimit: true,
    limits: { files: MAX_FILES, parts: MAX_FILES, fields: 0, fileSize: maxBodyBytes },
  });
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser([...BODY_TYPES, 'image/jpg'], { parseAs: 'buffer' }, (_request, bytes, done) =>
    done(null, bytes),
  );
}

async function toEncodedImages(
  type: string,
  bytes: Uint8Array,
  { pixels, fit }: ImageQuery,
): Promise<EncodedImages> {
  if (pixels !== undefined && type !== 'application/json' && type !== 'application/x-npy') {
    rejectOption('pixels', pixels, `says how JSON and npy are scaled; the pixels of ${type} are 0–255`);
  }
  if (fit !== undefined && !isEncodedImage(type)) {
    rejectOption('fit', fit, `resizes ${ENCODED_IMAGE_TYPES.join(', ')}; ${type} is numbers, 28×28 an image`);
  }
  switch (type) {
    case 'application/json':
      return { kind: 'json', bytes, pixels };
    case 'application/x-npy':
      return { kind: 'npy', bytes, pixels };
    case 'application/octet-stream':
      return { kind: 'bytes', bytes };
    default: {
      if (fit === undefined) return { kind: 'batch', ...(await decodeImage(bytes)) };
      const { batch, corrected } = await containImage(bytes);
      return { kind: 'batch', ...batch, corrected };
    }
  }
}

const isEncodedImage = (type: string) => (ENCODED_IMAGE_TYPES as readonly string[]).includes(type);

function rejectOption(parameter: keyof ImageQuery, value: string, detail: string): never {
  throw new AtelierError('invalid-request', `?${parameter}=${value} ${detail}. Leave it out.`, {
    details: [{ parameter, detail }],
  });
}

/** The name that many give it, and that nobody has registered. */
const canonicalType = (type: string) => (type === 'image/jpg' ? 'image/jpeg' : type);

function detectType(bytes: Buffer, declared: string): string {
  const start = bytes.toString('latin1', 0, 8);
  return SIGNATURES.find(([signature]) => start.startsWith(signature))?.[1] ?? canonicalType(declared);
}

interface FormFile {
  readonly filename: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** @param maxBodyBytes of all files together: the plug-in counts each for itself */
async function receiveFiles(request: FastifyRequest, maxBodyBytes: number): Promise<FormFile[]> {
  const files: FormFile[] = [];
  let total = 0;
  try {
    for await (const file of request.files()) {
      const bytes = await file.toBuffer();
      total += bytes.length;
      if (total > maxBodyBytes) {
        throw new AtelierError('body-too-large', `The files take more than ${maxBodyBytes} bytes together.`);
      }
      files.push({ filename: file.filename, type: detectType(bytes, file.mimetype), bytes });
    }
  } catch (cause) {
    throw toFormError(cause);
  }
  if (files.length > 0) return files;
  throw new AtelierError(
    'malformed-body',
    'The form has no file. Send at least one, as in curl -F file=@image.png',
  );
}

/** The parser under the plug-in throws errors of no kind for bytes that are not a form. */
function toFormError(error: unknown): unknown {
  const { code, message } = error as FastifyError;
  if (code === 'FST_FIELDS_LIMIT') {
    const advice = 'Send files only, as in curl -F file=@image.png, and options in the query.';
    return new AtelierError('malformed-body', `The form has a field that is not a file. ${advice}`);
  }
  if (code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return new AtelierError('body-too-large', `The form has more than ${MAX_FILES} files.`);
  }
  if (code !== undefined) return error;
  return new AtelierError('malformed-body', `The form cannot be read: ${message}.`, { cause: error });
}

/** A small file may be a large picture: how long it takes to decode them is known from their headers only. */
async function limitPixels(files: readonly FormFile[]): Promise<void> {
  let total = 0;
  for (const { filename, type, bytes } of files) {
    if (!isEncodedImage(type)) continue;
    total += await countPixels(bytes).catch((error) => {
      throw inFileError(filename, error);
    });
    if (total > MAX_FORM_PIXELS) {
      throw new AtelierError(
        'body-too-large',
        `Up to file ${filename}, the pictures have ${total} pixels; ?fit=contain takes ${MAX_FORM_PIXELS} a form. ` +
          'Make them smaller before sending them, or send fewer at a time.',
      );
    }
  }
}

async function readForm(
  request: FastifyRequest,
  maxBodyBytes: number,
  query: ImageQuery,
): Promise<EncodedImages> {
  const parts: EncodedImages[] = [];
  const names: string[] = [];
  const files = await receiveFiles(request, maxBodyBytes);
  if (query.fit !== undefined) await limitPixels(files);
  for (const { filename, type, bytes } of files) {
    if (!BODY_TYPES.includes(type)) {
      throw new AtelierError(
        'unsupported-media-type',
        `File ${filename} is ${type}; allowed: ${BODY_TYPES.join(', ')}.`,
      );
    }
    names.push(filename);
    parts.push(
      await toEncodedImages(type, bytes, query).catch((error) => {
        throw inFileError(filename, error);
      }),
    );
  }
  return { kind: 'many', parts, names };
}

/** @throws AtelierError where a picture or form cannot be read; other bodies are decoded where they are computed */
export async function readImages(
  request: FastifyRequest,
  maxBodyBytes: number,
  query: ImageQuery,
): Promise<EncodedImages> {
  if (request.isMultipart()) return readForm(request, maxBodyBytes, query);
  if (!(request.body instanceof Buffer)) {
    throw new AtelierError(
      'malformed-body',
      `There is no body. Send ${BODY_TYPES.join(', ')} or multipart/form-data.`,
    );
  }
  const type = request.headers['content-type']!.split(';')[0]!.trim().toLowerCase();
  return toEncodedImages(canonicalType(type), request.body, query);
}
