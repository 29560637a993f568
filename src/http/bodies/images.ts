/** Image bodies of every content type. PNG, JPEG and WebP are decoded here, the rest later. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { inFileError, type ReceivedImages } from '../../datasets/decode-images.ts';
import { containImage, countPixels, decodeImage } from '../../datasets/encoded-image.ts';
import type { ImageDecodingOptions } from '../../domain/image-query.ts';
import { AtelierError } from '../../errors.ts';
import { NPY_SIGNATURE } from '../../formats/npy-header.ts';
import { type FormOptions, IMAGE_FORM_LIMITS, readForm, registerMultipart } from './multipart.ts';
import { parseMediaType } from './raw.ts';

const ENCODED_IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const;
const BODY_TYPES = [
  'application/json',
  'application/octet-stream',
  'application/x-npy',
  ...ENCODED_IMAGE_TYPES,
];
/** Pixel limit of a form with `?fit=contain`: two of the largest images, or a thousand of 316×316. */
export const MAX_FORM_PIXELS = 100_000_000;

/** Leading bytes that identify a file, because curl declares the type of few kinds of files. */
const SIGNATURES: readonly (readonly [signature: string, type: string])[] = [
  [NPY_SIGNATURE, 'application/x-npy'],
  ['\x89PNG', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
  ['RIFF', 'image/webp'],
];

/** Reads every body of a scope as bytes, including JSON: large JSON is parsed by a worker. */
export async function registerImageBodies(scope: FastifyInstance, maxBodyBytes: number): Promise<void> {
  await registerMultipart(scope, maxBodyBytes);
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser([...BODY_TYPES, 'image/jpg'], { parseAs: 'buffer' }, (_request, bytes, done) =>
    done(null, bytes),
  );
}

/** @throws AtelierError for a missing body, an invalid form or encoded image, or an option that does not apply */
export async function readImages(
  request: FastifyRequest,
  maxBodyBytes: number,
  query: ImageDecodingOptions,
): Promise<ReceivedImages> {
  if (request.isMultipart()) return readImageForm(request, maxBodyBytes, query);
  if (!(request.body instanceof Buffer)) {
    throw new AtelierError(
      'malformed-body',
      `The request has no body. Send ${BODY_TYPES.join(', ')} or multipart/form-data.`,
    );
  }
  const type = parseMediaType(request.headers['content-type']);
  return toReceivedImages(canonicalType(type), request.body, query);
}

async function readImageForm(
  request: FastifyRequest,
  maxBodyBytes: number,
  query: ImageDecodingOptions,
): Promise<ReceivedImages> {
  const parts: ReceivedImages[] = [];
  const names: string[] = [];
  const files = await receiveFiles(request, maxBodyBytes);
  if (query.fit !== undefined) await limitPixels(files);
  for (const { filename, type, bytes } of files) {
    if (!BODY_TYPES.includes(type)) {
      throw new AtelierError(
        'unsupported-media-type',
        `File ${filename} has the unsupported type ${type}. Allowed: ${BODY_TYPES.join(', ')}.`,
      );
    }
    names.push(filename);
    parts.push(
      await toReceivedImages(type, bytes, query).catch((error) => {
        throw inFileError(filename, error);
      }),
    );
  }
  return { kind: 'many', parts, names };
}

interface ReceivedFile {
  readonly filename: string;
  readonly type: string;
  readonly bytes: Buffer;
}

async function receiveFiles(request: FastifyRequest, maxBytes: number): Promise<ReceivedFile[]> {
  const options: FormOptions = {
    limits: IMAGE_FORM_LIMITS,
    allowRepeated: true,
    maxBytes,
    tooLarge: () =>
      new AtelierError('body-too-large', `The files are larger than ${maxBytes} bytes in total.`),
    tooManyFiles: () =>
      new AtelierError('body-too-large', `The form has more than ${IMAGE_FORM_LIMITS.files} files.`),
  };
  const files: ReceivedFile[] = [];
  for await (const part of readForm(request, options)) {
    // IMAGE_FORM_LIMITS allows files only.
    if (part.kind === 'field') continue;
    const bytes = Buffer.concat(await Array.fromAsync(part.chunks));
    files.push({ filename: part.filename, type: detectType(bytes, part.type), bytes });
  }
  if (files.length > 0) return files;
  throw new AtelierError(
    'malformed-body',
    'The form has no file. Send at least one, as in curl -F file=@image.png.',
  );
}

/** Limits the decoding time by the pixels in the headers, because a small file may hold a large image. */
async function limitPixels(files: readonly ReceivedFile[]): Promise<void> {
  let total = 0;
  for (const { filename, type, bytes } of files) {
    if (!isEncodedImage(type)) continue;
    total += await countPixels(bytes).catch((error) => {
      throw inFileError(filename, error);
    });
    if (total > MAX_FORM_PIXELS) {
      throw new AtelierError(
        'body-too-large',
        `The images up to file ${filename} have ${total} pixels; the limit of a form with ?fit=contain is ${MAX_FORM_PIXELS}. ` +
          'Make the images smaller before sending them, or send fewer at a time.',
      );
    }
  }
}

async function toReceivedImages(
  type: string,
  bytes: Uint8Array,
  { pixels, fit }: ImageDecodingOptions,
): Promise<ReceivedImages> {
  if (pixels !== undefined && type !== 'application/json' && type !== 'application/x-npy') {
    rejectOption('pixels', pixels, `Applies to JSON and npy only; pixels of ${type} are 0–255.`);
  }
  if (fit !== undefined && !isEncodedImage(type)) {
    const types = ENCODED_IMAGE_TYPES.join(', ');
    rejectOption('fit', fit, `Resizes ${types} only; images in ${type} must be 28×28.`);
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

/** Maps image/jpg, which is common but not registered, to image/jpeg. */
const canonicalType = (type: string) => (type === 'image/jpg' ? 'image/jpeg' : type);

function detectType(bytes: Buffer, declared: string): string {
  const start = bytes.toString('latin1', 0, 8);
  return SIGNATURES.find(([signature]) => start.startsWith(signature))?.[1] ?? canonicalType(declared);
}

function rejectOption(parameter: keyof ImageDecodingOptions, value: string, detail: string): never {
  const message = `The option ?${parameter}=${value} does not apply to this body. ${detail} Leave the option out.`;
  throw new AtelierError('invalid-request', message, { details: [{ parameter, detail }] });
}
