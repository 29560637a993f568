import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rejectWithTimeout, sendClientError } from '../../../src/http/errors/client-error.ts';

/** A connection that keeps what is written to it. */
function open(writable = true) {
  const written: string[] = [];
  const state = { isDestroyed: false };
  const socket = {
    writable,
    write: (text: string) => written.push(text),
    destroySoon() {
      state.isDestroyed = true;
    },
  } as unknown as Socket;
  return { socket, written, state };
}

/** @param code of the error of Node */
function send(code: string | undefined, message: string, request?: object) {
  const { socket, written, state } = open();
  const error = Object.assign(new Error(message), code !== undefined && { code });
  sendClientError(error, socket, request as FastifyRequest | undefined);
  assert.ok(state.isDestroyed);
  const [head, body] = written.join('').split('\r\n\r\n');
  return { lines: head!.split('\r\n'), body: JSON.parse(body!), bytes: Buffer.byteLength(body!) };
}

test('bytes that are not HTTP get a problem, and the connection ends', () => {
  const { lines, body, bytes } = send('HPE_INVALID_METHOD', 'Parse Error');
  assert.deepEqual(lines, [
    'HTTP/1.1 400 Bad Request',
    'Connection: close',
    `X-Request-Id: ${body.requestId}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${bytes}`,
  ]);
  assert.deepEqual(
    [body.code, body.detail, body.instance],
    ['malformed-request', 'The bytes sent are not a valid HTTP/1.1 request.', ''],
  );
  assert.equal(send(undefined, 'x').body.code, 'malformed-request');
});

test('large headers and late requests have errors of their own', () => {
  const large = send('HPE_HEADER_OVERFLOW', 'x');
  assert.deepEqual(
    [large.lines[0], large.body.detail],
    [
      'HTTP/1.1 431 Request Header Fields Too Large',
      'The request line and headers are too large. Send at most 16 KiB.',
    ],
  );
  const late = send('ERR_HTTP_REQUEST_TIMEOUT', 'it took a minute');
  assert.deepEqual(
    [late.lines[0], late.body.detail],
    ['HTTP/1.1 408 Request Timeout', 'The request took too long to arrive: it took a minute.'],
  );
});

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const request = {
  ...{ method: 'POST', url: '/v2/models/a/infer', headers: { traceparent } },
  server: { basePath: '/base' },
};

test('the error of a request is in the format of its protocol', () => {
  const { body, lines } = send('ERR_HTTP_REQUEST_TIMEOUT', 'it took a minute', request);
  assert.deepEqual(body, { error: 'The request took too long to arrive: it took a minute.' });
  assert.equal(lines[3], 'Content-Type: application/json');
  const native = send('ERR_HTTP_REQUEST_TIMEOUT', 'x', { ...request, url: '/v1/jobs' }).body;
  assert.deepEqual([native.instance, native.traceparent], ['/base/v1/jobs', traceparent]);
});

test('nothing is written to a connection that the client has closed', () => {
  const { socket, written, state } = open(false);
  sendClientError(new Error('x'), socket);
  assert.deepEqual([written, state.isDestroyed], [[], true]);
});

test('a request that is ended is logged and counted', () => {
  const { socket, written } = open();
  const logged: unknown[] = [];
  const counted: FastifyReply[] = [];
  const log = { info: (...line: unknown[]) => logged.push(line) };
  const reply = { request: { ...request, log, socket } } as unknown as FastifyReply;
  rejectWithTimeout(reply, 'body stalled', 'no byte arrived', (each) => counted.push(each));
  assert.deepEqual(logged, [[{ method: 'POST', url: '/v2/models/a/infer', status: 408 }, 'body stalled']]);
  assert.deepEqual(counted, [reply]);
  assert.match(written[0]!, /^HTTP\/1\.1 408 .*: no byte arrived\./s);
});
