/** Error handler: turns every error into a problem, in the format of the route's protocol. */

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toSentence } from '../../domain/messages/issue-message.ts';
import { AtelierError, type ErrorCode } from '../../errors.ts';
import { unsupportedType } from '../bodies/raw.ts';
import { MAX_PATH_PARAMETER_CHARS } from '../hooks/connections/limits.ts';
import { clientUrl } from '../hooks/lifecycle/base-path.ts';
import { routeNotFound } from '../hooks/lifecycle/not-found.ts';
import { readTraceparent } from '../hooks/lifecycle/trace-context.ts';
import { ClientDisconnected, isDisconnected } from '../responses/client-disconnect.ts';
import { drainRequest } from '../responses/drain-request.ts';
import { PROBLEM_TYPE, toProblem } from './problem.ts';
import { type ErrorFormat, errorFormatForUrl } from './protocol-errors.ts';

/** `Retry-After` of an error without an estimate of its own. */
export const DEFAULT_RETRY_AFTER_SECONDS = 5;

/** Errors of Fastify and its plugins that a request can cause. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-body',
  FST_ERR_BAD_URL: 'invalid-request',
  FST_ERR_MAX_PARAM_LENGTH: 'route-not-found',
};

/** Our own sentences for errors of the router. */
const ROUTER_MESSAGES: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL:
    'The path is invalid: two hexadecimal digits must follow each percent sign, and the bytes must be UTF-8.',
  FST_ERR_MAX_PARAM_LENGTH: `A name in the path is longer than ${MAX_PATH_PARAMETER_CHARS} characters.`,
};

/** @param maxBodyBytes see `sendProblem` */
export function registerErrorHandler(app: FastifyInstance, maxBodyBytes: number): void {
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, maxBodyBytes));
}

function toAtelierError(error: unknown, request: FastifyRequest): AtelierError {
  if (error instanceof AtelierError) return error;
  const { code = '', statusCode = 500, message } = error as FastifyError;
  const options = { cause: error };
  const mapped = FASTIFY_CODES[code];
  if (mapped === 'unsupported-media-type') {
    const { body, requestContent } = request.routeOptions.schema ?? {};
    const json = body === undefined && requestContent !== undefined ? [] : ['application/json'];
    const allowed = [...json, ...Object.keys(requestContent ?? {})];
    return unsupportedType(request.headers['content-type'], allowed);
  }
  if (mapped === 'body-too-large') {
    const { bodyLimit } = request.routeOptions;
    return new AtelierError(mapped, `The body is larger than the limit of ${bodyLimit} bytes.`, options);
  }
  if (mapped) return new AtelierError(mapped, ROUTER_MESSAGES[code] ?? toSentence(message), options);
  // @fastify/static rejects a path that leads out of the folder of /docs.
  if (statusCode === 403) return routeNotFound(request);
  // A SyntaxError without a status is a defect: the readers of bodies convert their own.
  if (statusCode >= 400 && statusCode < 500) {
    return new AtelierError('malformed-body', toSentence(message), options);
  }
  return new AtelierError(
    'internal-error',
    'An unexpected error occurred. The log of the service has its cause under this request id.',
    options,
  );
}

/** Headers of the response that a handler had begun when it failed. */
const ABANDONED_HEADERS = ['etag', 'cache-control', 'content-disposition', 'accept-ranges', 'content-length'];

/** @param maxBodyBytes an unread body is read up to this limit, or the limit of its route if that is larger */
export async function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  maxBodyBytes: number,
): Promise<FastifyReply> {
  // Without the close, Node would read the rest of the body until the request times out.
  const limit = Math.max(maxBodyBytes, request.routeOptions.bodyLimit ?? 0);
  if (!(await drainRequest(request.raw, limit))) reply.header('connection', 'close');
  if (thrown instanceof ClientDisconnected || isDisconnected(request, reply)) {
    const { method, url } = request;
    const { message: reason } = thrown as Error;
    request.log.info({ method, url, durationMs: reply.elapsedTime, reason }, 'client disconnected');
    return reply.hijack();
  }
  for (const header of ABANDONED_HEADERS) reply.removeHeader(header);
  const error = toAtelierError(thrown, request);
  const traceparent = readTraceparent(request.headers);
  const problem = toProblem(error, clientUrl(request), request.id, traceparent);
  // A 503 is not logged as an error: it is deliberate, and there may be thousands per second.
  if (problem.status >= 500 && problem.status !== 503) request.log.error({ err: thrown }, problem.title);
  const isBusy = problem.status === 429 || problem.status === 503;
  const retryAfter = error.retryAfterSeconds ?? (isBusy ? DEFAULT_RETRY_AFTER_SECONDS : undefined);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  const { type, toStatus, toBody } = errorFormat(request);
  const body = JSON.stringify(toBody(problem));
  return (
    reply
      .code(toStatus(problem))
      .type(type)
      // A Buffer, because Fastify adds a charset to text: see responses/plain-json.ts, whose hook the router's errors miss.
      .send(type === PROBLEM_TYPE ? body : Buffer.from(body))
  );
}

/** The format of the route's protocol; without a route, and for a verb that the route does not support, of the path's. */
function errorFormat({ url, routeOptions }: FastifyRequest): ErrorFormat {
  return routeOptions.config.errorFormat ?? errorFormatForUrl(url);
}
