/** Compressed responses: gzip, where the client accepts it and the content is text (RFC 9110, section 8.4). */
import { pipeline, Readable } from 'node:stream';
import { createGzip, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify';
import Negotiator from 'negotiator';
import { gzipTag } from '../conditional/entity-tags.ts';
import { addVary } from './negotiate.ts';

/** Smaller responses fit into one packet. */
const MIN_COMPRESSED_BYTES = 1024;
/** Measured on 10,000 predictions, 3 MB: 28 ms and 1.06 MB, where the default level 6 takes 63 ms for 1.04 MB. */
const OPTIONS = { level: 4 };
/** Text, except event streams, whose events must not wait in the compressor. npy, images and archives gain nothing. */
export const COMPRESSED_TYPES =
  /^(?:text\/(?!event-stream)|application\/(?:javascript|(?:[\w.-]+\+)?json)|image\/svg\+xml)/;

/** Call it after `limitLargeResponses`: large responses arrive as streams then, and count with the bytes that they hold. */
export function compressResponses(app: FastifyInstance): void {
  // A hook per route runs last, after the ETag of the payload was computed.
  app.addHook('onRoute', (route) => {
    route.onSend = [...[route.onSend ?? []].flat(), compress];
  });
}

/** Compresses in threads of libuv. */
const compress: onSendHookHandler<unknown> = (request, reply, payload, done) => {
  if (reply.statusCode === 304) {
    nameKnownVariant(request, reply);
    return done();
  }
  const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : undefined;
  // The response to HEAD has lost its payload, but not its length.
  const length = bytes?.length ?? Number(reply.getHeader('content-length') ?? Number.POSITIVE_INFINITY);
  if (length < MIN_COMPRESSED_BYTES) return done();
  if (!bytes && request.method !== 'HEAD' && !(payload instanceof Readable)) return done();
  if (!COMPRESSED_TYPES.test(String(reply.getHeader('content-type')))) return done();
  addVary(reply, 'Accept-Encoding');
  if (request.method === 'HEAD' || !isCompressible(reply) || !acceptsGzip(request)) return done();

  reply.header('content-encoding', 'gzip').removeHeader('content-length').removeHeader('accept-ranges');
  const tag = reply.getHeader('etag');
  if (typeof tag === 'string') reply.header('etag', gzipTag(tag));
  if (bytes) return gzip(bytes, OPTIONS, done);
  // Fastify handles the error with which `pipeline` destroys the stream.
  done(
    null,
    pipeline(payload as Readable, createGzip(OPTIONS), () => {}),
  );
};

/** Whether the whole representation is sent, and not compressed already. */
function isCompressible(reply: FastifyReply): boolean {
  return reply.getHeader('content-range') === undefined && reply.getHeader('content-encoding') === undefined;
}

function acceptsGzip({ headers }: FastifyRequest): boolean {
  const accepted = headers['accept-encoding'];
  if (accepted === undefined || !/gzip|\*/i.test(accepted)) return false;
  // The parser reads a weight that is spelt `Q=` as 1.
  const negotiator = new Negotiator({ headers: { 'accept-encoding': accepted.toLowerCase() } });
  return negotiator.encoding(['gzip', 'identity']) === 'gzip';
}

/** A 304 has the ETag of the variant that the client has, and the length of none. */
function nameKnownVariant({ headers }: FastifyRequest, reply: FastifyReply): void {
  addVary(reply, 'Accept-Encoding');
  reply.removeHeader('content-length');
  const tag = reply.getHeader('etag');
  if (typeof tag !== 'string' || !headers['if-none-match']?.includes(gzipTag(tag))) return;
  reply.header('etag', gzipTag(tag));
}
