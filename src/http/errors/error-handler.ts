/** Every error, ours or Fastify's, becomes one problem, in the shape of the protocol that was spoken. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AtelierError, type ErrorCode } from '../../errors.ts';
import { routeNotFound } from '../plugins/not-found.ts';
import { ClientDisconnected, isDisconnected } from '../responses/client-disconnect.ts';
import { drainRequest } from '../responses/drain-request.ts';
import { toProblem } from './problem.ts';
import { findErrorShape } from './protocol-errors.ts';

/** Where the error does not know better. */
const RETRY_AFTER_SECONDS = 5;

/** What Fastify and its plug-ins throw for what was sent. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_REQ_FILE_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_INVALID_MULTIPART_CONTENT_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-body',
  FST_ERR_BAD_URL: 'invalid-request',
  FST_ERR_MAX_PARAM_LENGTH: 'route-not-found',
};

function toAtelierError(error: unknown, request: FastifyRequest): AtelierError {
  if (error instanceof AtelierError) return error;
  const { code = '', statusCode = 500, message } = error as FastifyError;
  const mapped = FASTIFY_CODES[code];
  if (mapped === 'unsupported-media-type') {
    const allowed = Object.keys(request.routeOptions.schema?.requestContent ?? { 'application/json': {} });
    const given = request.headers['content-type'] ?? 'no content type';
    const detail = `A body of ${given} is not taken here; allowed: ${allowed.join(', ')}.`;
    return new AtelierError(mapped, detail, { cause: error });
  }
  if (mapped === 'body-too-large') {
    const detail = `The body is larger than the ${request.routeOptions.bodyLimit} bytes that are taken here.`;
    return new AtelierError(mapped, detail, { cause: error });
  }
  if (mapped) return new AtelierError(mapped, message, { cause: error });
  // Of the files of /docs, a path that leads out of them.
  if (statusCode === 403) return routeNotFound(request);
  if (code === 'FST_PROTO_VIOLATION') {
    const detail = 'The form cannot be read: no part of one is named __proto__, constructor or the like.';
    return new AtelierError('malformed-body', detail, { cause: error });
  }
  if (error instanceof SyntaxError || (statusCode >= 400 && statusCode < 500)) {
    return new AtelierError('malformed-body', message, { cause: error });
  }
  return new AtelierError(
    'internal-error',
    'Something failed on our side; the log has it under the request id.',
    {
      cause: error,
    },
  );
}

/** @param maxBodyBytes how much of an unread body is taken before the answer; as much as its route takes, where that is more */
export async function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  maxBodyBytes: number,
): Promise<FastifyReply> {
  // Node would go on reading until the request times out.
  const limit = Math.max(maxBodyBytes, request.routeOptions.bodyLimit ?? 0);
  if (!(await drainRequest(request.raw, limit))) reply.header('connection', 'close');
  if (thrown instanceof ClientDisconnected || isDisconnected(request, reply)) {
    const { method, url } = request;
    const { message: reason } = thrown as Error;
    request.log.info({ method, url, durationMs: reply.elapsedTime, reason }, 'the client hung up');
    return reply.hijack();
  }
  const error = toAtelierError(thrown, request);
  const problem = toProblem(error, request.url, request.id);
  // A 503 is a refusal, and no defect; there may be thousands a second.
  if (problem.status >= 500 && problem.status !== 503) request.log.error({ err: thrown }, problem.title);
  if (problem.status === 429 || problem.status === 503) {
    reply.header('retry-after', error.retryAfterSeconds ?? RETRY_AFTER_SECONDS);
  }
  const { type, toStatus, toBody } = findErrorShape(request.routeOptions.url ?? request.url);
  return reply
    .code(toStatus(problem))
    .type(type)
    .send(JSON.stringify(toBody(problem)));
}
