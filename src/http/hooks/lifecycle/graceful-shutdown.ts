/** Graceful shutdown: new requests are rejected, requests in flight are completed. */
import type { FastifyInstance } from 'fastify';
import { AtelierError } from '../../../errors.ts';
import {
  asksForEvents,
  RECONNECT_HEADERS,
  reconnectMessage,
} from '../../responses/events/reconnect-stream.ts';
import { isProbe } from '../overload/backpressure.ts';

/** @param isAccepting false once the shutdown has begun */
export function rejectWhileDraining(app: FastifyInstance, isAccepting: () => boolean): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (isAccepting() || isProbe(request)) return done();
    if (asksForEvents(request)) {
      return void reply.headers(RECONNECT_HEADERS).send(reconnectMessage('The service is shutting down.'));
    }
    throw new AtelierError('draining', 'The service is shutting down. Try again shortly.');
  });
}

/**
 * Keeps the server listening until requests in flight are completed, so that probes still receive "not ready".
 * Then closes every connection, including those that never sent a complete request head.
 */
export function drainInFlightRequests(app: FastifyInstance): void {
  let inFlight = 0;
  let resolveDrained: (() => void) | undefined;
  const requestClosed = () => {
    inFlight--;
    if (inFlight === 0) resolveDrained?.();
  };
  app.server.on('request', (_request, response) => {
    inFlight++;
    response.on('close', requestClosed);
  });
  // Hooks of a child scope run after the application's hooks.
  app.register(async (scope) => {
    scope.addHook('preClose', async () => {
      if (inFlight > 0) await new Promise<void>((resolve) => (resolveDrained = resolve));
      // Fastify closes only a server with which it listens itself.
      app.server.close();
      app.server.closeAllConnections();
    });
  });
}

/**
 * Stops listening at the beginning of a shutdown instead of its end. For a port that other processes share: they get the
 * new connections at once.
 * @param stopping aborts when the shutdown begins
 */
export function releasePort(app: FastifyInstance, stopping: () => AbortSignal): void {
  app.addHook('onReady', async () => {
    stopping().addEventListener('abort', () => app.server.close());
  });
}
