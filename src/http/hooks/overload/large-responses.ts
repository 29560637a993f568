/** Large responses: sent in chunks, and limited in total and per client until they are read. */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify';
import { createSemaphore } from '../../../concurrency/semaphore.ts';
import { createWorkTimes } from '../../../concurrency/work-times.ts';
import { AtelierError } from '../../../errors.ts';
import { MEBIBYTE, memoryLimit, type Reservation } from '../../../services/memory/ledger.ts';
import { createClientCounts, identifyClient, type OnLimit, onceClosed } from '../connections/client.ts';
import { isLargeBody } from './large-bodies.ts';

/** Smaller responses fit into the buffers of the system. */
export const LARGE_RESPONSE_BYTES = 64 * 1024;
/** The system reports a chunk as sent only as a whole, so that smaller chunks measure the rate better. */
const CHUNK_BYTES = 128 * 1024;

export interface ResponseLimits {
  /** Unsent bytes of all clients. */
  readonly totalBytes: number;
  /** Unsent bytes of one client. A single response may be larger. */
  readonly clientBytes: number;
}

/** Fraction of the memory that unsent responses may take, up to the maximum. */
export const UNSENT_FRACTION = 1 / 8;
export const MAX_UNSENT_BYTES = 256 * MEBIBYTE;
/** Above this fraction of a limit, requests are rejected before they are computed: their responses may not fit. */
const FULL_FRACTION = 1 / 2;

export function responseLimits(): ResponseLimits {
  const totalBytes = Math.min(memoryLimit() * UNSENT_FRACTION, MAX_UNSENT_BYTES);
  return { totalBytes, clientBytes: totalBytes / 2 };
}

/** Above this number of listeners of one event, Node warns of a leak; its default is 10. */
const MAX_LISTENERS = 20;

/**
 * Files and other streams hold no memory, so they do not count as unsent bytes.
 * @param reserve reserves the memory of a response until it is sent; throws if it is not free
 */
export function limitLargeResponses(
  app: FastifyInstance,
  limits: ResponseLimits,
  onLimit: OnLimit,
  reserve: (bytes: number) => Reservation,
): void {
  const unsent = createClientCounts();
  const times = createWorkTimes();

  /** The error of a client that has to read earlier responses first. */
  function findExcess(request: FastifyRequest, exceeds: (count: number, limit: number) => boolean) {
    const own = unsent.get(identifyClient(request));
    if (!exceeds(own, limits.clientBytes) && !exceeds(unsent.total(), limits.totalBytes)) return undefined;
    onLimit('unsent');
    return new AtelierError(
      'overloaded',
      own > 0
        ? `You have not read ${Math.ceil(own / MEBIBYTE)} MiB of earlier responses. Read them, then try again.`
        : 'Responses that other clients have not read yet occupy the memory. Try again shortly.',
      { retryAfterSeconds: times.secondsUntilNext() },
    );
  }

  function start(reply: FastifyReply, bytes: number): void {
    const reservation = reserve(bytes);
    const startedAt = times.start();
    const client = identifyClient(reply.request);
    unsent.add(client, bytes);
    // A streamed response has five listeners more than others.
    reply.raw.setMaxListeners(MAX_LISTENERS);
    onceClosed(reply, () => {
      times.end(startedAt);
      unsent.add(client, -bytes);
      reservation.release();
    });
  }

  const send: onSendHookHandler<unknown> = (request, reply, payload, done) => {
    if (request.method === 'HEAD') return done();
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return done();
    // A character takes at most three bytes.
    if (payload.length * 3 < LARGE_RESPONSE_BYTES) return done();
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (bytes.length < LARGE_RESPONSE_BYTES) return done();
    try {
      const excess = findExcess(request, (count, limit) => count > 0 && count + bytes.length > limit);
      if (excess) throw excess;
      start(reply, bytes.length);
    } catch (error) {
      return done(error as AtelierError);
    }
    reply.header('content-length', bytes.length);
    done(null, toChunks(bytes));
  };

  app.addHook('onRequest', (request, _reply, done) => {
    if (unsent.total() === 0) return done();
    const { scope, sheddable } = request.routeOptions.config;
    // Small predictions come first, and their responses are small.
    if (scope === 'open' || (sheddable === 'large-body' && !isLargeBody(request))) return done();
    done(findExcess(request, (count, limit) => count > limit * FULL_FRACTION));
  });
  // A hook per route runs last, after the ETag of the payload was computed.
  app.addHook('onRoute', (route) => {
    route.onSend = [...[route.onSend ?? []].flat(), send];
  });
}

/**
 * Most chunks of all large responses that are sent in a turn of the event loop. Otherwise each turn would send as much as the
 * buffers of all readers hold, and predictions would wait for it.
 */
export const MAX_SENT_CHUNKS = 4;
const turns = createSemaphore(MAX_SENT_CHUNKS);

function toChunks(bytes: Buffer): Readable {
  let start = 0;
  return new Readable({
    // A chunk that was read ahead would be sent in a later turn, beside those of that turn.
    highWaterMark: 0,
    async read() {
      await turns.run(setImmediate);
      const chunk = bytes.subarray(start, start + CHUNK_BYTES);
      start += chunk.length;
      this.push(chunk);
      if (start === bytes.length) this.push(null);
    },
  });
}
