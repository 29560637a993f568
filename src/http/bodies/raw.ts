/** Bodies as bytes, whatever they are said to be: other protocols are read where they are computed. */
import { promisify } from 'node:util';
import { unzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a raw body may be; '' for one that does not say. Anything where this is left out. */
    mediaTypes?: readonly string[];
    /** Whether a body may be compressed by gzip or deflate. */
    inflates?: boolean;
  }
}

const inflate = promisify(unzip);

/** In a scope of its own. A compressed body is as long as it is when it has been inflated. */
export function registerRawBodies(scope: FastifyInstance): void {
  scope.addHook('onRequest', ({ headers, routeOptions }, _reply, done) => {
    const { mediaTypes } = routeOptions.config;
    const type = parseMediaType(headers['content-type']);
    if (mediaTypes === undefined || mediaTypes.includes(type)) return done();
    const allowed = mediaTypes.filter((allowed) => allowed !== '').join(', ');
    throw new AtelierError(
      'unsupported-media-type',
      `A body of ${type || 'no content type'} is not taken here; allowed: ${allowed}.`,
    );
  });
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
    const { 'content-encoding': encoding = 'identity' } = request.headers;
    if (/^\s*(identity)?\s*$/i.test(encoding)) return bytes;
    return inflateTo(request.routeOptions.bodyLimit, bytes);
  });
}

export function parseMediaType(contentType = ''): string {
  return contentType.split(';')[0]!.trim().toLowerCase();
}

async function inflateTo(limit: number, bytes: Buffer): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: limit });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `The body is, inflated, larger than the ${limit} bytes that are taken here.`;
      throw new AtelierError('body-too-large', detail, { cause });
    }
    throw new AtelierError('malformed-body', `The body cannot be inflated: ${message}.`, { cause });
  }
}

/** @throws AtelierError `malformed-body` where there is none */
export function requireBody(body: unknown): Buffer {
  if (body instanceof Buffer && body.length > 0) return body;
  throw new AtelierError('malformed-body', 'There is no body.');
}
