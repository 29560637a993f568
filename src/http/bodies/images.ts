/** Image bodies of every content type. PNG, JPEG and WebP are decoded at once, the rest later. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { inFileError, type ReceivedImages } from '../../datasets/decode-images.ts';
import type { ImageDecodingOptions } from '../../domain/image-query.ts';
import { AtelierError } from '../../errors.ts';
import { NPY_SIGNATURE } from '../../formats/npy-header.ts';
import type { DecodeFiles, EncodedFile } from '../../services/image-decoder.ts';
import { type FormOptions, IMAGE_FORM_LIMITS, readForm, registerMultipart } from './multipart.ts';
import { parseMediaType } from './raw.ts';

const ENCODED_IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const;
const BODY_TYPES = [
  'application/json',
  'application/octet-stream',
  'application/x-npy',
  ...ENCODED_IMAGE_TYPES,
];

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

export interface ImageReader {
  readonly maxBodyBytes: number;
  readonly decodeFiles: DecodeFiles;
}

/**
 * @param signal called only if decoding must wait
 * @throws AtelierError for a missing body, an invalid form or encoded image, or an option that does not apply, and
 *   `overloaded`
 */
export async function readImages(
  request: FastifyRequest,
  { maxBodyBytes, decodeFiles }: ImageReader,
  query: ImageDecodingOptions,
  signal: () => AbortSignal,
): Promise<ReceivedImages> {
  if (request.isMultipart()) {
    const files = await receiveFiles(request, maxBodyBytes);
    for (const file of files) assertReadable(file, query);
    const parts = await decodeEncoded(files, query, decodeFiles, signal);
    return { kind: 'many', parts, names: files.map(({ name }) => name) };
  }
  if (!(request.body instanceof Buffer)) {
    throw new AtelierError(
      'malformed-body',
      `The request has no body. Send ${BODY_TYPES.join(', ')} or multipart/form-data.`,
    );
  }
  const type = canonicalType(parseMediaType(request.headers['content-type']));
  assertOptionsApply(type, query);
  const [images] = await decodeEncoded([{ type, bytes: request.body }], query, decodeFiles, signal);
  return images!;
}

/** Decodes the encoded images among the files; the rest is decoded later. */
async function decodeEncoded(
  files: readonly ReceivedBody[],
  query: ImageDecodingOptions,
  decodeFiles: DecodeFiles,
  signal: () => AbortSignal,
): Promise<ReceivedImages[]> {
  const encoded = files.filter(({ type }) => isEncodedImage(type));
  const decoded = encoded.length === 0 ? [] : await decodeFiles(encoded, query.fit, signal);
  const images = decoded.values();
  return files.map(({ type, bytes }) => {
    switch (type) {
      case 'application/json':
        return { kind: 'json', bytes, pixels: query.pixels };
      case 'application/x-npy':
        return { kind: 'npy', bytes, pixels: query.pixels };
      case 'application/octet-stream':
        return { kind: 'bytes', bytes };
      default: {
        const { batch, corrected } = images.next().value!;
        return { kind: 'batch', ...batch, corrected };
      }
    }
  });
}

interface ReceivedBody extends EncodedFile {
  readonly type: string;
}
interface ReceivedFile extends ReceivedBody {
  readonly name: string;
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
    files.push({ name: part.filename, type: detectType(bytes, part.type), bytes });
  }
  if (files.length > 0) return files;
  throw new AtelierError(
    'malformed-body',
    'The form has no file. Send at least one, as in curl -F file=@image.png.',
  );
}

function assertReadable({ name, type }: ReceivedFile, query: ImageDecodingOptions): void {
  if (!BODY_TYPES.includes(type)) {
    throw new AtelierError(
      'unsupported-media-type',
      `File ${name} has the unsupported type ${type}. Allowed: ${BODY_TYPES.join(', ')}.`,
    );
  }
  try {
    assertOptionsApply(type, query);
  } catch (error) {
    throw inFileError(name, error);
  }
}

function assertOptionsApply(type: string, { pixels, fit }: ImageDecodingOptions): void {
  if (pixels !== undefined && type !== 'application/json' && type !== 'application/x-npy') {
    rejectOption('pixels', pixels, `Applies to JSON and npy only; pixels of ${type} are 0–255.`);
  }
  if (fit !== undefined && !isEncodedImage(type)) {
    const types = ENCODED_IMAGE_TYPES.join(', ');
    rejectOption('fit', fit, `Resizes ${types} only; images in ${type} must be 28×28.`);
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
