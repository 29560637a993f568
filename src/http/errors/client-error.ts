/** Errors on the connection: bytes that are not HTTP, and requests that do not arrive in time. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AtelierError, type ErrorCode } from '../../errors.ts';
import { clientUrl } from '../hooks/lifecycle/base-path.ts';
import { readTraceparent } from '../hooks/lifecycle/trace-context.ts';
import { problemTitle, toProblem } from './problem.ts';
import { errorFormatForUrl } from './protocol-errors.ts';

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

const MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  'headers-too-large': 'The request line and headers are too large. Send at most 16 KiB.',
  'malformed-request': 'The bytes sent are not a valid HTTP/1.1 request.',
};

/** Called for every 408 that `rejectWithTimeout` writes to the connection. Fastify's hooks do not see it. */
export type OnTimeout = (reply: FastifyReply) => void;

/** @param request if its headers arrived */
export function sendClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  request?: FastifyRequest,
): void {
  const code = CODES[error.code ?? ''] ?? 'malformed-request';
  const message = code === 'request-timeout' ? `${problemTitle(code)}: ${error.message}.` : MESSAGES[code]!;
  const instance = request === undefined ? '' : clientUrl(request);
  const traceparent = request && readTraceparent(request.headers);
  const problem = toProblem(new AtelierError(code, message), instance, randomUUID(), traceparent);
  const { status, requestId } = problem;
  const { type, toBody } = errorFormatForUrl(request?.url ?? '');
  const body = JSON.stringify(toBody(problem));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nX-Request-Id: ${requestId}\r\n` +
        `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

/**
 * Sends 408 and closes the connection. Logs and counts it like any other response.
 * @param logged message of the log line
 * @param message the reason in the response, a clause without a full stop
 */
export function rejectWithTimeout(
  reply: FastifyReply,
  logged: string,
  message: string,
  onTimeout: OnTimeout,
): void {
  const { request } = reply;
  const { log, method, url, socket } = request;
  log.info({ method, url, status: 408 }, logged);
  sendClientError(Object.assign(new Error(message), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket, request);
  onTimeout(reply);
}
