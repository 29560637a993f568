/** Slow clients: one clock measures the progress of every open request, and ends those that make too little. */
import { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type OnTimeout, rejectWithTimeout } from '../../errors/client-error.ts';
import { EVENT_STREAM_TYPE } from '../../responses/events/reconnect-stream.ts';
import type { OnLimit } from './client.ts';
import type { ConnectionLimits } from './limits.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route receives a data set, and so is exempt from the request timeout of other bodies. */
    upload?: boolean;
  }
}

export type SlowClients = ReturnType<typeof limitConnections>;

/** Minimum time over which the rate of a body is measured before its request is ended. */
const RATE_AFTER_MS = 2000;

/** The next task of a client, and its progress. */
interface Progress {
  readonly awaits: 'body' | 'reading';
  /** Bytes of the connection. */
  readonly bytes: number;
}

interface Measured extends Progress {
  readonly startedAt: number;
  readonly startBytes: number;
  /** When the client had last sent or read as many bytes as it must. */
  since: number;
  bytes: number;
}

/** A request whose response has not ended. */
interface OpenRequest {
  readonly reply: FastifyReply;
  /** null while the service is the slow side. */
  measured: Measured | null;
}

/** Enforces the limits that Fastify has no options for. Call it before other hooks, so that it covers all of them. */
export function limitConnections(
  app: FastifyInstance,
  limits: ConnectionLimits,
  onTimeout: OnTimeout,
  onLimit: OnLimit,
) {
  app.server.maxConnections = limits.connections;
  const { requestMs, stallMs, minReadBytesPerSecond, eventStallMs, measureMs } = limits;
  /**
   * The open requests of each connection: several if they are pipelined. With an entry per request, V8 kept half of the
   * requests until its next full collection, because the tables that a map outgrows refer to their entries.
   */
  const connections = new Map<Socket, OpenRequest[]>();
  let timer: NodeJS.Timeout | undefined;

  function measureAll(): void {
    const now = performance.now();
    for (const [first, second] of connections.values()) {
      // A pipelined response waits for the end of the stream, and holds its memory or disk for as long.
      if (second !== undefined && isEventStream(first!.reply)) closeReader(second.reply);
    }
    for (const request of [...connections.values()].flat()) {
      const { reply, measured: last } = request;
      const progress = measure(reply);
      if (progress === null) request.measured = null;
      else if (last?.awaits === progress.awaits) check(reply, last, progress.bytes, now);
      else request.measured = { ...progress, startedAt: now, startBytes: progress.bytes, since: now };
    }
  }

  function check(reply: FastifyReply, last: Measured, bytes: number, now: number): void {
    const isBody = last.awaits === 'body';
    const isEvents = isEventStream(reply);
    const patienceMs = isEvents && !isBody ? eventStallMs : stallMs;
    const minBytes = isBody || isEvents ? 1 : (minReadBytesPerSecond * stallMs) / 1000;
    if (bytes - last.bytes >= minBytes) {
      last.since = now;
      last.bytes = bytes;
    } else if (now - last.since >= patienceMs) {
      if (isBody)
        rejectBody(reply, 'body stalled', `no byte of the body arrived for ${stallMs / 1000} seconds`);
      else closeReader(reply);
      return;
    }
    if (!isBody || reply.request.routeOptions.config.upload || now - last.startedAt < requestMs) return;
    rejectBody(reply, 'body too slow', `the body did not arrive within ${requestMs / 1000} seconds`);
  }

  function rejectBody(reply: FastifyReply, logged: string, message: string): void {
    remove(reply);
    rejectWithTimeout(reply, logged, message, onTimeout);
  }

  function closeReader({ request }: FastifyReply): void {
    const { log, method, url, socket } = request;
    log.info({ method, url }, 'client reads too slowly');
    onLimit('rate');
    socket.destroy();
  }

  function addConnection(socket: Socket): OpenRequest[] {
    const requests: OpenRequest[] = [];
    connections.set(socket, requests);
    socket.on('close', () => connections.delete(socket));
    return requests;
  }

  function find(reply: FastifyReply): OpenRequest | undefined {
    return connections.get(reply.request.socket)?.find((request) => request.reply === reply);
  }

  function remove(reply: FastifyReply): void {
    const requests = connections.get(reply.request.socket);
    const index = requests?.findIndex((request) => request.reply === reply) ?? -1;
    if (index >= 0) requests!.splice(index, 1);
  }

  app.addHook('onRequest', ({ socket }, reply, done) => {
    // The requests of app.inject have no connection.
    if (socket instanceof Socket) {
      const requests = connections.get(socket) ?? addConnection(socket);
      // Node reads 64 KiB of pipelined requests at once, up to two thousand, and keeps their responses until they are read.
      if (requests.length >= limits.pipelined) return socket.destroyed ? undefined : closeReader(reply);
      requests.push({ reply, measured: null });
      reply.raw.on('close', () => remove(reply));
    }
    done();
  });
  // Without a listener, Node would also close the connections of requests that are being processed.
  app.server.on('timeout', (socket) => {
    if (!connections.get(socket)?.length) socket.destroy();
  });
  app.addHook('onReady', async () => {
    timer = setInterval(measureAll, measureMs).unref();
  });
  app.addHook('onClose', async () => clearInterval(timer));

  return {
    /**
     * Ends the slowest of these requests whose body arrives below the rate, with 408.
     * @returns the request that was ended, if any
     */
    endSlowest(replies: readonly FastifyReply[], bytesPerSecond: number): FastifyReply | undefined {
      const now = performance.now();
      let slowest: FastifyReply | undefined;
      let lowestRate = bytesPerSecond;
      for (const reply of replies) {
        const measured = find(reply)?.measured;
        const { raw: body, socket } = reply.request;
        if (measured?.awaits !== 'body' || body.complete) continue;
        const elapsedMs = now - measured.startedAt;
        const rate = (socket.bytesRead - measured.startBytes) / (elapsedMs / 1000);
        if (elapsedMs < RATE_AFTER_MS || rate >= lowestRate) continue;
        lowestRate = rate;
        slowest = reply;
      }
      if (slowest === undefined) return undefined;
      const message = `the body arrived at ${Math.round(lowestRate)} bytes per second while another request needed its slot`;
      rejectBody(slowest, 'body too slow, slot released', message);
      return slowest;
    },
  };
}

const isEventStream = (reply: FastifyReply): boolean =>
  String(reply.getHeader('content-type')).startsWith(EVENT_STREAM_TYPE);

/** null while nothing is expected of the client. */
function measure({ raw, request }: FastifyReply): Progress | null {
  const { socket, raw: body } = request;
  // A pipelined response has no socket before its turn.
  if (raw.socket !== null && raw.writableLength > 0) {
    return { awaits: 'reading', bytes: socket.bytesWritten - socket.writableLength };
  }
  return body.complete ? null : { awaits: 'body', bytes: socket.bytesRead };
}
