/** Raw, possibly compressed bodies for the codecs of the other protocols. */
import { promisify } from 'node:util';
import { unzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { quote } from '../../formats/models/file-error.ts';
import { identifyBody } from '../../images/other-kinds.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Accepted media types of a raw body, '' for a missing Content-Type. All types by default. */
    mediaTypes?: readonly string[];
    /** Accepted parameters of each media type besides `charset`; `charset` must be UTF-8. All by default. */
    mediaTypeParameters?: Readonly<Record<string, readonly string[]>>;
    /** Whether the body may be compressed by gzip or deflate. */
    inflates?: boolean;
  }
}

/** Linear in time: `\s*` twice in a row is tried in all divisions of a header of spaces, before the key is checked. */
const IDENTITY = /^\s*(identity\s*)?$/i;
/** One parameter of a media type; its value may be quoted, empty or missing. */
const PARAMETER = /;\s*([^\s;=]+)\s*(?:=\s*"?([^\s;"]*))?/g;
const inflate = promisify(unzip);

/**
 * Rejects a compressed body if its route does not inflate it; otherwise the compressed bytes could pass as an image.
 * @throws AtelierError `unsupported-media-type`
 */
export function rejectEncodedBodies(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || IDENTITY.test(encoding)) return done();
    const { inflates } = request.routeOptions.config;
    if (inflates && /^\s*(gzip|deflate)\s*$/i.test(encoding)) return done();
    const allowed = inflates ? 'gzip, deflate, identity' : 'identity';
    // RFC 9110, section 15.5.16.
    reply.header('accept-encoding', allowed);
    throw new AtelierError(
      'unsupported-media-type',
      `Content-Encoding: ${encoding} is not supported. Allowed: ${allowed}, or no Content-Encoding.`,
      { details: [{ parameter: 'Content-Encoding', detail: `Must be ${allowed}, or left out.` }] },
    );
  });
}

/** Checks media types, and parses bodies to bytes. The size limit of a route also applies to the inflated body. */
export function registerRawBodies(scope: FastifyInstance): void {
  scope.addHook('onRequest', ({ headers, routeOptions }, _reply, done) => {
    const { mediaTypes, mediaTypeParameters } = routeOptions.config;
    const type = parseMediaType(headers['content-type']);
    if (mediaTypes === undefined || mediaTypes.includes(type)) {
      const allowed = mediaTypeParameters?.[type];
      // JSON has no charset (RFC 8259, section 11); a text type has.
      if (allowed === undefined && !type.startsWith('text/')) return done();
      const parameters = readParameters(headers['content-type']);
      if (allowed) assertKnown(parameters, allowed);
      assertUtf8(parameters);
      return done();
    }
    throw unsupportedType(
      type,
      mediaTypes.filter((allowed) => allowed !== ''),
    );
  });
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
    const { 'content-encoding': encoding = 'identity' } = request.headers;
    if (IDENTITY.test(encoding)) return bytes;
    return inflateTo(request.routeOptions.bodyLimit, bytes);
  });
}

/** Values of the parameters of a media type by their names in lower case; unquoted, '' if missing. */
function readParameters(contentType = ''): ReadonlyMap<string, string> {
  return new Map(
    Array.from(contentType.matchAll(PARAMETER), ([, name, value = '']) => [name!.toLowerCase(), value]),
  );
}

function assertKnown(parameters: ReadonlyMap<string, string>, allowed: readonly string[]): void {
  const names = [...allowed, 'charset'];
  const unknown = [...parameters.keys()].find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new AtelierError(
    'unsupported-media-type',
    `The content type has the unknown parameter ${quote(unknown)}. Allowed: ${names.join(', ')}.`,
  );
}

/** US-ASCII is a part of UTF-8. */
function assertUtf8(parameters: ReadonlyMap<string, string>): void {
  const charset = parameters.get('charset');
  if (charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset)) return;
  throw new AtelierError(
    'unsupported-media-type',
    `The charset "${charset}" is not supported. Encode the text as UTF-8, and send charset=utf-8 or no charset.`,
  );
}

export function parseMediaType(contentType = ''): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** curl's default, whatever the body is. */
export const CURL_TYPE = 'application/x-www-form-urlencoded';

/**
 * @param sent the Content-Type of the request
 * @param body if it was read: its signature decides which header is suggested
 */
export function unsupportedType(
  sent: string | undefined,
  allowed: readonly string[],
  body?: Buffer,
): AtelierError {
  const problem = sent ? `The content type ${sent} is not supported.` : 'The request has no Content-Type.';
  const message = `${problem} Allowed: ${allowed.join(', ')}.`;
  const isUndeclared = [CURL_TYPE, ''].includes(parseMediaType(sent));
  return new AtelierError(
    'unsupported-media-type',
    isUndeclared ? `${message} ${adviseHeader(allowed, body)}` : message,
  );
}

function adviseHeader(allowed: readonly string[], body?: Buffer): string {
  const [first = '', ...others] = allowed;
  const file = body && identifyBody(body);
  const type = others.length === 0 ? first : allowed.find((type) => type === file?.type);
  if (type === 'multipart/form-data') return 'With curl, send a form: -F file=@NAME.';
  if (type === undefined && file) return `The body is ${file.kind}.`;
  const place = type === undefined ? 'the type of the body, as in ' : '';
  return `With curl, add ${place}-H 'content-type: ${type ?? first}'.`;
}

async function inflateTo(limit: number, bytes: Buffer): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: limit });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `The inflated body is larger than the limit of ${limit} bytes.`;
      throw new AtelierError('body-too-large', detail, { cause });
    }
    throw new AtelierError(
      'malformed-body',
      'The body cannot be decompressed: it is damaged, truncated, or compressed differently.',
      { cause },
    );
  }
}

/** @throws AtelierError `malformed-body` if the body is empty */
export function requireBody(body: unknown): Buffer {
  if (body instanceof Buffer && body.length > 0) return body;
  throw new AtelierError('malformed-body', 'The request has no body. Send one.');
}
