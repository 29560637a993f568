/** Assembles the HTTP application from the services. Does not listen. */
import accepts from '@fastify/accepts';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyServerFactory } from 'fastify';
import type { Config } from '../config.ts';
import { registerJsonBody } from './bodies/json.ts';
import { rejectEncodedBodies } from './bodies/raw.ts';
import { registerErrorHandler } from './errors/error-handler.ts';
import { countTimeouts, measureRequests } from './metrics/requests.ts';
import { acceptBeforeReading } from './plugins/accept-first.ts';
import { logRequests } from './plugins/access-log.ts';
import { restrictAnonymousAccess } from './plugins/anonymous-access.ts';
import { registerAuthentication, requireRouteScopes } from './plugins/authentication.ts';
import { deferLowPriority, shedLoad } from './plugins/backpressure.ts';
import { registerBasePath } from './plugins/base-path.ts';
import type { OnLimit } from './plugins/client.ts';
import { limitClientConnections, MAX_CLIENT_CONNECTIONS } from './plugins/client-connections.ts';
import { compressResponses } from './plugins/compression.ts';
import { CONNECTION_LIMITS, limitConnections } from './plugins/connection-limits.ts';
import { registerCors } from './plugins/cors.ts';
import { sendContinueOnRead } from './plugins/expect-continue.ts';
import { drainInFlightRequests, rejectWhileDraining, releasePort } from './plugins/graceful-shutdown.ts';
import { validateHostAndExpect } from './plugins/host-and-expect.ts';
import { registerIdempotency } from './plugins/idempotency.ts';
import { limitLargeResponses, responseLimits } from './plugins/large-responses.ts';
import { registerNotFound } from './plugins/not-found.ts';
import { registerOpenapi } from './plugins/openapi.ts';
import { sendPlainJson } from './plugins/plain-json.ts';
import { sendRequestId } from './plugins/request-id.ts';
import { sendSecurityHeaders } from './plugins/security-headers.ts';
import { rejectOnWorker } from './plugins/worker-role.ts';
import { registerProbeRoutes, registerRoutes } from './routes/index.ts';
import { serverOptions } from './server-options.ts';
import type { Services } from './services.ts';

/** @param serverFactory returns a server that is bound already, which `app.listen` takes over */
export async function buildApp(
  services: Services,
  config: Config,
  logger?: FastifyBaseLogger,
  serverFactory?: FastifyServerFactory,
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

  // Hooks run in this order. Hooks that run for every request use callbacks, because promises would slow them down.
  const plugins: readonly ((app: FastifyInstance) => unknown)[] = [
    // Before anything adds a route: a route without a scope must not exist.
    requireRouteScopes,
    // Before the routes and plugins, which read the base path.
    (app) => registerBasePath(app, config.basePath),
    // Before any other request hook, so that timeouts cover all of them.
    (app) => limitConnections(app, CONNECTION_LIMITS, onTimeout, onLimit),
    // Behind a trusted proxy all connections are the proxy's.
    (app) => config.trustProxy === null && limitClientConnections(app, MAX_CLIENT_CONNECTIONS, onLimit),
    // Before connections are made: health checks use a new one each time.
    acceptBeforeReading,
    // Counts requests as soon as their headers have arrived, before any hook runs.
    drainInFlightRequests,
    (app) => config.reusePort && releasePort(app, () => services.health.stopping),
    // Before the scopes of the routes, which inherit parsers.
    registerJsonBody,
    // Before everything that can reject a request: every response has these headers.
    sendSecurityHeaders,
    sendRequestId,
    // Before the routes, whose content types it completes.
    sendPlainJson,
    // Before authentication: preflight requests carry no key. Before responses of a shutdown, which pages may read.
    (app) => registerCors(app, config.corsOrigins),
    // Before all work: during a shutdown, only requests in flight are completed.
    (app) => rejectWhileDraining(app, () => services.health.accepting()),
    // Before the routes: every response is logged, rendered and measured.
    (app) => logRequests(app, config.accessLog),
    (app) => registerErrorHandler(app, config.maxBodyBytes),
    (app) => measureRequests(app, requests),
    (app) => config.role === 'worker' && rejectOnWorker(app),
    // Before the checks of headers and body, which are irrelevant without a route.
    registerNotFound,
    // Before work that depends on the headers or the body.
    validateHostAndExpect,
    sendContinueOnRead,
    // After the check for a single Host header, which it compares; before any work for a page of another origin.
    (app) => restrictAnonymousAccess(app, config),
    rejectEncodedBodies,
    // Before authentication: rejecting must be cheap under load.
    (app) => shedLoad(app, config.maxEventLoopDelayMs),
    // After validation: an invalid request is rejected without waiting.
    deferLowPriority,
    // Before the handlers, which negotiate the type of the response.
    (app) => app.register(accepts),
    // Before bodies are read and slots are taken.
    (app) => registerAuthentication(app, config, services.apiKeys, services.rateLeases),
    // After authentication, which finds the client; before the routes, whose responses it measures.
    (app) => limitLargeResponses(app, responseLimits(), onLimit, reserveResponse),
    // After the limits, which count the bytes that a response holds in memory.
    compressResponses,
    // Before OpenAPI, which documents the Idempotency-Key header of the routes.
    registerIdempotency,
    // Last: collects the schemas of the routes that follow. A worker has none to show.
    (app) => config.role !== 'worker' && registerOpenapi(app),
  ];
  for (const register of plugins) await register(app);
  await registerProbeRoutes(app, services);
  if (config.role !== 'worker') await registerRoutes(app, services, config, onTimeout, onLimit);
  return app;
}
