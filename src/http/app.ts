/** Assembles the HTTP application from the services. Does not listen. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyServerFactory } from 'fastify';
import type { Config } from '../config/read.ts';
import { acceptBeforeReading } from '../tuning/accept-first.ts';
import { registerJsonBody } from './bodies/json.ts';
import { rejectEncodedBodies } from './bodies/raw.ts';
import { registerIdempotency } from './conditional/idempotency.ts';
import { registerErrorHandler } from './errors/error-handler.ts';
import { restrictAnonymousAccess } from './hooks/access/anonymous-access.ts';
import { registerAuthentication, requireRouteScopes } from './hooks/access/authentication.ts';
import { registerCors } from './hooks/access/cors.ts';
import { validateHostAndExpect } from './hooks/access/host-and-expect.ts';
import { sendSecurityHeaders } from './hooks/access/security-headers.ts';
import type { OnLimit } from './hooks/connections/client.ts';
import { limitClientConnections, MAX_CLIENT_CONNECTIONS } from './hooks/connections/client-limits.ts';
import { sendContinueOnRead } from './hooks/connections/expect-continue.ts';
import { CONNECTION_LIMITS } from './hooks/connections/limits.ts';
import { limitConnections } from './hooks/connections/slow-clients.ts';
import { logRequests, type WriteLine } from './hooks/lifecycle/access-log.ts';
import { registerBasePath } from './hooks/lifecycle/base-path.ts';
import {
  drainInFlightRequests,
  rejectWhileDraining,
  releasePort,
} from './hooks/lifecycle/graceful-shutdown.ts';
import { registerNotFound } from './hooks/lifecycle/not-found.ts';
import { sendRequestId } from './hooks/lifecycle/request-id.ts';
import { rejectOnWorker } from './hooks/lifecycle/worker-role.ts';
import { deferLowPriority, measureDelay, shedLoad } from './hooks/overload/backpressure.ts';
import { limitLargeResponses, responseLimits } from './hooks/overload/large-responses.ts';
import { countTimeouts, measureRequests } from './metrics/requests.ts';
import { registerOpenapi } from './openapi/generation.ts';
import { compressResponses } from './responses/compression.ts';
import { sendPlainJson } from './responses/plain-json.ts';
import { registerRoutes } from './routes/index.ts';
import { serverOptions } from './server-options.ts';
import type { Services } from './services.ts';
import { rejectUndeclaredParameters } from './validation/pagination.ts';

/** The parts of the process that the application uses. */
export interface AppHost {
  readonly logger?: FastifyBaseLogger;
  /** Returns a server that listens already. */
  readonly serverFactory?: FastifyServerFactory;
  /** Writes a line to the destination of the logger; without it, there is no access log. */
  readonly writeLine?: WriteLine;
}

export async function buildApp(
  services: Services,
  config: Config,
  { logger, serverFactory, writeLine }: AppHost = {},
): Promise<FastifyInstance> {
  const app = Fastify(serverOptions(config, logger, serverFactory));
  // Reads `services` only when called, because scripts/openapi.ts builds the application without services.
  const requests: Services['metrics']['requests'] = {
    duration: (...labels) => services.metrics.requests.duration(...labels),
    openStream: (kind) => services.metrics.requests.openStream(kind),
  };
  const onTimeout = countTimeouts(requests);
  const reserveResponse = (bytes: number) => services.memory.reserve(bytes, { what: 'The response' });
  const onLimit: OnLimit = (limit) => services.metrics.onLimit(limit);

  // Before any other request hook, so that it covers all of them.
  const slowClients = limitConnections(app, CONNECTION_LIMITS, onTimeout, onLimit);

  // Hooks run in this order. Hooks that run for every request use callbacks, because promises would slow them down.
  const parts: readonly ((app: FastifyInstance) => unknown)[] = [
    // Before anything adds a route: a route without a scope must not exist.
    requireRouteScopes,
    // Before the routes and hooks, because they read the base path.
    (app) => registerBasePath(app, config.basePath),
    // Behind a trusted proxy all connections are the proxy's.
    (app) => config.trustProxy === null && limitClientConnections(app, MAX_CLIENT_CONNECTIONS, onLimit),
    // Before connections are made: health checks use a new one each time.
    acceptBeforeReading,
    // Counts requests as soon as their headers have arrived, before any hook runs.
    drainInFlightRequests,
    (app) => config.reusePort && releasePort(app, () => services.health.stopping),
    // Before the scopes of the routes, because they inherit parsers.
    registerJsonBody,
    // Before everything that can reject a request: every response has these headers.
    sendSecurityHeaders,
    sendRequestId,
    // Before the routes, whose content types it completes.
    sendPlainJson,
    // Before authentication: preflight requests carry no key. Before responses of a shutdown: pages may read them.
    (app) => registerCors(app, config.corsOrigins),
    // Before all work: during a shutdown, only requests in flight are completed.
    (app) => rejectWhileDraining(app, () => services.health.accepting()),
    // Before the routes: every response is logged, rendered and measured.
    (app) => writeLine && logRequests(app, config.accessLog, writeLine),
    (app) => registerErrorHandler(app, config.maxBodyBytes),
    (app) => measureRequests(app, requests),
    (app) => config.role === 'worker' && rejectOnWorker(app),
    // Before the checks of headers and body: without a route, they are irrelevant.
    registerNotFound,
    // Before work that depends on the headers or the body.
    validateHostAndExpect,
    sendContinueOnRead,
    // After the check for a single Host header, because it compares the header; before work for pages of other origins.
    (app) => restrictAnonymousAccess(app, config),
    rejectEncodedBodies,
    // Before authentication: rejecting must be cheap under load.
    (app) => shedLoad(app, config.maxEventLoopDelayMs, measureDelay(app)),
    // After validation: an invalid request is rejected without waiting.
    deferLowPriority,
    // Before bodies are read and slots are taken.
    (app) => registerAuthentication(app, config, services.apiKeys, services.rateLeases),
    // After authentication, because it needs the client; before the routes, because it measures their responses.
    (app) => limitLargeResponses(app, responseLimits(), onLimit, reserveResponse),
    // After the limits, because they count the bytes that a response holds in memory.
    compressResponses,
    // Before OpenAPI, because they complete the schemas of the routes.
    registerIdempotency,
    rejectUndeclaredParameters,
    // Last: collects the schemas of the routes that follow. A worker has none to show.
    (app) => config.role !== 'worker' && registerOpenapi(app),
  ];
  for (const register of parts) await register(app);
  await registerRoutes(app, services, config, slowClients, onLimit);
  return app;
}
