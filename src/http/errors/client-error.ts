/** Bytes that are not HTTP: there is no request to answer, only a connection. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AtelierError, type ErrorCode } from '../../errors.ts';
import { problemTitle, toProblem } from './problem.ts';
import { findErrorShape } from './protocol-errors.ts';

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** @param url of the request, where so much of it arrived */
export function sendClientError(error: NodeJS.ErrnoException, socket: Socket, url = ''): void {
  const code = CODES[error.code ?? ''] ?? 'malformed-request';
  const message = `${problemTitle(code)}: ${error.message}.`;
  const problem = toProblem(new AtelierError(code, message), url, randomUUID());
  const { status, requestId } = problem;
  const { type, toBody } = findErrorShape(url);
  const body = JSON.stringify(toBody(problem));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nX-Request-Id: ${requestId}\r\n` +
        `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
