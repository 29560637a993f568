/** Image bodies of every content type. PNG, JPEG and WebP are decoded at once, the rest later. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ImageDecodingOptions } from '../../domain/predictions/image-query.ts';
import { preprocessingFor } from '../../domain/predictions/preprocessing.ts';
import { AtelierError } from '../../errors.ts';
import { ENCODED_IMAGE_TYPES } from '../../images/base64.ts';
import { inFileError, type ReceivedImages } from '../../images/decode.ts';
import type { DecodedImage } from '../../images/encoded.ts';
import { holdsEncodedImages } from '../../images/json-encoded.ts';
import type { LoadedModel } from '../../services/models/loaded-version.ts';
import type { ReadEncodedJson } from '../../services/predictions/encoded-json.ts';
import type { DecodeFiles, EncodedFile } from '../../services/predictions/image-decoder.ts';
import { canonicalType, type ReceivedBody, type ReceivedFile, receiveFiles } from './image-form.ts';
import { isForm, registerForms } from './multipart.ts';
import { parseMediaType } from './raw.ts';
import { createByteReader } from './read-bytes.ts';

/** Stands for the media type of JSON with encoded images in error messages. */
const ENCODED_JSON = 'encoded images in JSON';
const JSON_TYPE = 'application/json';
const BODY_TYPES = [JSON_TYPE, 'application/octet-stream', 'application/x-npy', ...ENCODED_IMAGE_TYPES];

/** Reads every body of a scope as bytes, including JSON: large JSON is parsed by a worker. */
export function registerImageBodies(scope: FastifyInstance, maxBodyBytes: number): void {
  registerForms(scope);
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser([...BODY_TYPES, 'image/jpg'], createByteReader(maxBodyBytes));
}

export interface ImageReader {
  readonly maxBodyBytes: number;
  readonly decodeFiles: DecodeFiles;
  readonly readEncodedJson: ReadEncodedJson;
}

/** The part of a loaded model that decides how encoded images are read. */
type Preprocessed = Pick<LoadedModel, 'preprocessing'>;

/**
 * Synchronous for images as numbers, because promises would take as long as the prediction.
 * @param modelPreprocessing called only if the body holds encoded images
 * @param signal called only if decoding must wait
 * @throws AtelierError for a missing body, an invalid form or encoded image, or an option that does not apply, and
 *   `overloaded`
 */
export function readImages(
  request: FastifyRequest,
  reader: ImageReader,
  query: ImageDecodingOptions,
  modelPreprocessing: () => Preprocessed | Promise<Preprocessed>,
  signal: () => AbortSignal,
): ReceivedImages | Promise<ReceivedImages> {
  const { body } = request;
  const type = canonicalType(parseMediaType(request.headers['content-type']));
  if (!(body instanceof Buffer) || isEncodedImage(type) || (type === JSON_TYPE && holdsEncodedImages(body))) {
    return readEncoded(request, type, reader, query, modelPreprocessing, signal);
  }
  assertOptionsApply(type, query);
  return toNumbers(type, body, query);
}

/** Reads forms, and bodies with encoded images. */
async function readEncoded(
  request: FastifyRequest,
  type: string,
  reader: ImageReader,
  query: ImageDecodingOptions,
  modelPreprocessing: () => Preprocessed | Promise<Preprocessed>,
  signal: () => AbortSignal,
): Promise<ReceivedImages> {
  async function decodeFiles(files: readonly EncodedFile[]): Promise<DecodedImage[]> {
    const { preprocessing } = await modelPreprocessing();
    return reader.decodeFiles(files, preprocessingFor(preprocessing, query.fit), signal);
  }

  if (isForm(request)) {
    const files = await receiveFiles(request, reader.maxBodyBytes);
    for (const file of files) assertReadable(file, query);
    const parts = await decodeEncoded(files, query, decodeFiles);
    return { kind: 'many', parts, names: files.map(({ name }) => name) };
  }
  const { body } = request;
  if (!(body instanceof Buffer)) {
    throw new AtelierError(
      'malformed-body',
      `The request has no body. Send ${BODY_TYPES.join(', ')} or multipart/form-data.`,
    );
  }
  if (type === JSON_TYPE) {
    assertOptionsApply(ENCODED_JSON, query);
    const files = await reader.readEncodedJson(body, signal);
    const decoded = await decodeFiles(files);
    return { kind: 'many', parts: decoded.map(toReceived), names: null };
  }
  assertOptionsApply(type, query);
  const [image] = await decodeFiles([{ bytes: body }]);
  return toReceived(image!);
}

/** Decodes the encoded images among the files of a form; the rest is decoded later. */
async function decodeEncoded(
  files: readonly ReceivedBody[],
  query: ImageDecodingOptions,
  decodeFiles: (files: readonly EncodedFile[]) => Promise<DecodedImage[]>,
): Promise<ReceivedImages[]> {
  const encoded = files.filter(({ type }) => isEncodedImage(type));
  const decoded = encoded.length === 0 ? [] : await decodeFiles(encoded);
  const images = decoded.values();
  return files.map(({ type, bytes }) =>
    isEncodedImage(type) ? toReceived(images.next().value!) : toNumbers(type, bytes, query),
  );
}

function toNumbers(type: string, bytes: Buffer, { pixels }: ImageDecodingOptions): ReceivedImages {
  if (type === 'application/octet-stream') return { kind: 'bytes', bytes };
  return { kind: type === JSON_TYPE ? 'json' : 'npy', bytes, pixels };
}

const toReceived = ({ batch, corrected }: DecodedImage): ReceivedImages => ({
  kind: 'batch',
  ...batch,
  corrected,
});

function assertReadable({ name, type, bytes }: ReceivedFile, query: ImageDecodingOptions): void {
  if (!BODY_TYPES.includes(type)) {
    throw new AtelierError(
      'unsupported-media-type',
      `File ${name} has the unsupported type ${type}. Allowed: ${BODY_TYPES.join(', ')}.`,
    );
  }
  if (type === JSON_TYPE && holdsEncodedImages(bytes)) {
    throw new AtelierError(
      'invalid-request',
      `File ${name} holds encoded images. In a form, send each of them as a file.`,
    );
  }
  try {
    assertOptionsApply(type, query);
  } catch (error) {
    throw inFileError(name, error);
  }
}

function assertOptionsApply(type: string, { pixels, fit }: ImageDecodingOptions): void {
  if (pixels !== undefined && type !== JSON_TYPE && type !== 'application/x-npy') {
    rejectOption('pixels', pixels, `Applies to numbers in JSON and npy only; pixels of ${type} are 0–255.`);
  }
  if (fit !== undefined && type !== ENCODED_JSON && !isEncodedImage(type)) {
    const types = ENCODED_IMAGE_TYPES.join(', ');
    const found = type === JSON_TYPE ? 'as numbers' : `in ${type}`;
    rejectOption('fit', fit, `Resizes ${types} only; images ${found} must be 28×28.`);
  }
}

const isEncodedImage = (type: string) => (ENCODED_IMAGE_TYPES as readonly string[]).includes(type);

function rejectOption(parameter: keyof ImageDecodingOptions, value: string, detail: string): never {
  const message = `The option ?${parameter}=${value} does not apply to this body. ${detail} Leave the option out.`;
  throw new AtelierError('invalid-request', message, { details: [{ parameter, detail }] });
}
