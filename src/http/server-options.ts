/** Options of the Fastify server: timeouts, size limits, request ids, errors before routing. */

import {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyServerFactory,
  LogController,
  type RawServerDefault,
} from 'fastify';
import type { Config } from '../config/read.ts';
import { sendClientError } from './errors/client-error.ts';
import { sendProblem } from './errors/error-handler.ts';
import { SECURITY_HEADERS } from './hooks/access/security-headers.ts';
import {
  CONNECTION_LIMITS,
  connectionOptions,
  MAX_PATH_PARAMETER_CHARS,
} from './hooks/connections/limits.ts';
import { stripBasePath } from './hooks/lifecycle/base-path.ts';
import { generateRequestId } from './hooks/lifecycle/request-id.ts';
import { ZOD_COMPILERS } from './validation/zod-validator.ts';

/** Size limit of a JSON body without images. */
export const MAX_JSON_BODY_BYTES = 2 ** 20;

export function serverOptions(
  { maxBodyBytes, trustProxy, basePath }: Pick<Config, 'maxBodyBytes' | 'trustProxy' | 'basePath'>,
  logger?: FastifyBaseLogger,
  serverFactory?: FastifyServerFactory,
) {
  const { http, ...timeouts } = connectionOptions(CONNECTION_LIMITS);
  return {
    ...(logger && { loggerInstance: logger }),
    ...(serverFactory && { serverFactory }),
    bodyLimit: Math.min(MAX_JSON_BODY_BYTES, maxBodyBytes),
    ...timeouts,
    forceCloseConnections: 'idle',
    trustProxy: proxyTrust(trustProxy),
    // Disabled: the timeout also covers closing, and closing waits for requests in flight.
    pluginTimeout: 0,
    schemaController: { compilersFactory: ZOD_COMPILERS },
    // Fastify's 503 is not a problem document; hooks/lifecycle/graceful-shutdown.ts sends one.
    return503OnClosing: false,
    // hooks/lifecycle/access-log.ts writes one line per request instead of Fastify's two.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER_CHARS },
    genReqId: generateRequestId,
    ...(basePath !== '' && { rewriteUrl: stripBasePath(basePath) }),
    // Errors before routing. Must not throw: nothing catches it.
    frameworkErrors: (error, request, reply) =>
      void sendProblem(
        error,
        request,
        reply.headers(SECURITY_HEADERS).header('x-request-id', request.id),
        maxBodyBytes,
      ),
    clientErrorHandler: sendClientError,
    // hooks/access/host-and-expect.ts rejects a missing Host header with a problem document.
    http: { ...http, requireHostHeader: false },
  } satisfies FastifyHttpOptions<RawServerDefault, FastifyBaseLogger>;
}

/** Fastify trusts no proxy if it is given a number, so a number becomes a function of the distance. */
function proxyTrust(trusted: Config['trustProxy']) {
  if (typeof trusted === 'number') return (_address: string, hop: number) => hop < trusted;
  return trusted === null ? false : [...trusted];
}
