/** Image bodies of every content type. Services decode the images. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ImageDecodingOptions, rejectOption } from '../../domain/predictions/image-query.ts';
import { AtelierError } from '../../errors.ts';
import { ENCODED_IMAGE_TYPES } from '../../images/base64.ts';
import { inFileError } from '../../images/decode.ts';
import { holdsEncodedImages } from '../../images/json-encoded.ts';
import type { SentImages } from '../../images/sent.ts';
import { canonicalType, type ReceivedFile, receiveFiles } from './image-form.ts';
import { isForm, registerForms } from './multipart.ts';
import { CURL_TYPE, parseMediaType, unsupportedType } from './raw.ts';
import { createByteReader } from './read-bytes.ts';

/** Stands for the media type of JSON with encoded images in error messages. */
const ENCODED_JSON = 'encoded images in JSON';
const JSON_TYPE = 'application/json';
const BODY_TYPES = [JSON_TYPE, 'application/octet-stream', 'application/x-npy', ...ENCODED_IMAGE_TYPES];

/** Reads every body of a scope as bytes, including JSON: large JSON is parsed by a worker. */
export function registerImageBodies(scope: FastifyInstance, maxBodyBytes: number): void {
  registerForms(scope);
  scope.removeContentTypeParser('application/json');
  // Rejected once its signature is known.
  scope.addContentTypeParser([...BODY_TYPES, 'image/jpg', CURL_TYPE], createByteReader(maxBodyBytes));
}

/**
 * Only a form is read later: its files are read here, other bodies have been.
 * @throws AtelierError for a missing body, an invalid form, or an option that does not apply
 */
export async function readImages(
  request: FastifyRequest,
  maxBodyBytes: number,
  query: ImageDecodingOptions,
): Promise<SentImages> {
  if (isForm(request)) return readImageForm(request, maxBodyBytes, query);
  const { body } = request;
  if (!(body instanceof Buffer)) {
    throw new AtelierError(
      'malformed-body',
      `The request has no body. Send ${BODY_TYPES.join(', ')} or multipart/form-data.`,
    );
  }
  const { 'content-type': sent } = request.headers;
  const type = canonicalType(parseMediaType(sent));
  if (type === CURL_TYPE) throw unsupportedType(sent, [...BODY_TYPES, 'multipart/form-data'], body);
  if (type === JSON_TYPE && holdsEncodedImages(body)) {
    assertOptionsApply(ENCODED_JSON, query);
    return { kind: 'encoded-json', bytes: body };
  }
  assertOptionsApply(type, query);
  const image = toPart(type, body, query);
  return image.kind === 'encoded' ? { kind: 'parts', parts: [image], names: null } : image;
}

async function readImageForm(
  request: FastifyRequest,
  maxBodyBytes: number,
  query: ImageDecodingOptions,
): Promise<SentImages> {
  const files = await receiveFiles(request, maxBodyBytes);
  for (const file of files) assertReadable(file, query);
  return {
    kind: 'parts',
    parts: files.map(({ type, bytes, name }) => toPart(type, bytes, query, name)),
    names: files.map(({ name }) => name),
  };
}

/** @param name of the file in a form */
function toPart(type: string, bytes: Buffer, { pixels }: ImageDecodingOptions, name?: string) {
  if (isEncodedImage(type)) return { kind: 'encoded', bytes, name } as const;
  if (type === 'application/octet-stream') return { kind: 'bytes', bytes } as const;
  return { kind: type === JSON_TYPE ? 'json' : 'npy', bytes, pixels } as const;
}

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
    rejectOption(
      'fit',
      fit,
      `Resizes ${types} only; images ${found} must have the shape that the model takes.`,
    );
  }
}

const isEncodedImage = (type: string) => (ENCODED_IMAGE_TYPES as readonly string[]).includes(type);
