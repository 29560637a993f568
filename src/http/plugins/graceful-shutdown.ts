/** Requests that are being answered when the service is told to stop. */
import type { FastifyInstance } from 'fastify';

/**
 * Closing waits for them before it stops to listen, so that whoever asks meanwhile is told that the service is not
 * ready. Then every connection is closed: one that has not sent a whole request head would hold it up.
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
  // In a scope of its own, since the hooks of scopes come after those of the application.
  app.register(async (scope) => {
    scope.addHook('preClose', async () => {
      if (inFlight > 0) await new Promise<void>((resolve) => (resolveDrained = resolve));
      app.server.closeAllConnections();
    });
  });
}
