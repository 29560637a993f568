/** Large responses: sent in chunks, limited in total and per client, and cut off below a minimum rate. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify';
import { createWorkTimes } from '../../../concurrency/work-times.ts';
import { AtelierError } from '../../../errors.ts';
import { MEBIBYTE, memoryLimit, type Reservation } from '../../../services/memory/ledger.ts';
import { EVENT_STREAM_TYPE } from '../../responses/events/reconnect-stream.ts';
import { clientOf, createClientCounts, type OnLimit, onceClosed } from '../connections/client.ts';
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
  /** Rate below which the connection is closed, measured over `windowMs` with bytes to send. */
  readonly minBytesPerSecond: number;
  readonly windowMs: number;
  readonly checkMs: number;
}

/** Fraction of the memory that unsent responses may take, up to the maximum. */
export const UNSENT_FRACTION = 1 / 8;
export const MAX_UNSENT_BYTES = 256 * MEBIBYTE;
/** Above this fraction of a limit nothing is computed any more, because its result may not fit. */
const FULL_FRACTION = 1 / 2;

export function responseLimits(): ResponseLimits {
  const totalBytes = Math.min(memoryLimit() * UNSENT_FRACTION, MAX_UNSENT_BYTES);
  return {
    totalBytes,
    clientBytes: totalBytes / 2,
    minBytesPerSecond: 16 * 1024,
    windowMs: 30_000,
    checkMs: 5000,
  };
}

/** Above this number of listeners of one event, Node warns of a leak; its default is 10. */
const MAX_LISTENERS = 20;

interface Transfer {
  readonly reply: FastifyReply;
  /** Start of the window in which the rate is measured. */
  since: number;
  /** Bytes of the connection that the system had taken at that time. */
  sent: number;
}

/**
 * Files and other streams hold no memory, so they do not count as unsent bytes; the minimum rate applies to them too.
 * Streams of events have rules of their own.
 * @param reserve reserves the memory of a response until it is sent; throws if it is not free
 */
export function limitLargeResponses(
  app: FastifyInstance,
  limits: ResponseLimits,
  onLimit: OnLimit,
  reserve: (bytes: number) => Reservation,
): void {
  const unsent = createClientCounts();
  const transfers = new Set<Transfer>();
  const times = createWorkTimes();
  let timer: NodeJS.Timeout | undefined;

  /** The error of a client that has to read earlier responses first. */
  function findExcess(request: FastifyRequest, exceeds: (count: number, limit: number) => boolean) {
    const own = unsent.get(clientOf(request));
    if (!exceeds(own, limits.clientBytes) && !exceeds(unsent.total(), limits.totalBytes)) return undefined;
    onLimit('unsent');
    return new AtelierError(
      'overloaded',
      own > 0
        ? `You have not read ${Math.ceil(own / MEBIBYTE)} MiB of earlier responses. Read them, then try again.`
        : 'Other clients have not read their responses yet, which occupies memory. Try again shortly.',
      { retryAfterSeconds: times.secondsUntilNext() },
    );
  }

  function start(reply: FastifyReply, bytes: number, reservation?: Reservation): void {
    const startedAt = times.start();
    const transfer: Transfer = { reply, since: startedAt, sent: countSent(reply) };
    const client = clientOf(reply.request);
    unsent.add(client, bytes);
    transfers.add(transfer);
    // A streamed response has five listeners more than others.
    reply.raw.setMaxListeners(MAX_LISTENERS);
    onceClosed(reply, () => {
      times.end(startedAt);
      unsent.add(client, -bytes);
      transfers.delete(transfer);
      reservation?.release();
    });
  }

  function closeSlow(): void {
    const now = performance.now();
    const minimum = (limits.minBytesPerSecond * limits.windowMs) / 1000;
    for (const transfer of transfers) {
      const { raw, request } = transfer.reply;
      const sent = countSent(transfer.reply);
      // A pipelined response has no socket before its turn. Without bytes to send, the client is not the slow side.
      const isWaiting = raw.socket !== null && raw.writableLength > 0;
      const isMeasured = now - transfer.since >= limits.windowMs;
      if (isWaiting && !isMeasured) continue;
      if (isWaiting && sent - transfer.sent < minimum) {
        request.log.info({ method: request.method, url: request.url }, 'client reads too slowly');
        onLimit('rate');
        request.socket.destroy();
      }
      transfer.since = now;
      transfer.sent = sent;
    }
  }

  const send: onSendHookHandler<unknown> = (request, reply, payload, done) => {
    if (request.method === 'HEAD' || payload === null || payload === undefined) return done();
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) {
      if (!String(reply.getHeader('content-type')).startsWith(EVENT_STREAM_TYPE)) start(reply, 0);
      return done();
    }
    // A character takes at most three bytes.
    if (payload.length * 3 < LARGE_RESPONSE_BYTES) return done();
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (bytes.length < LARGE_RESPONSE_BYTES) return done();
    try {
      const excess = findExcess(request, (count, limit) => count > 0 && count + bytes.length > limit);
      if (excess) throw excess;
      start(reply, bytes.length, reserve(bytes.length));
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
  app.addHook('onListen', async () => {
    timer = setInterval(closeSlow, limits.checkMs).unref();
  });
  app.addHook('onClose', async () => clearInterval(timer));
}

function countSent({ request }: FastifyReply): number {
  const { bytesWritten, writableLength } = request.socket;
  return bytesWritten - writableLength;
}

function toChunks(bytes: Buffer): Readable {
  let start = 0;
  return new Readable({
    read() {
      const chunk = bytes.subarray(start, start + CHUNK_BYTES);
      start += chunk.length;
      this.push(chunk.length > 0 ? chunk : null);
    },
  });
}
