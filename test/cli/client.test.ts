/** Retries and reconnections of the command line client, against a failing server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { createClient } from '../../cli/client.ts';
import { ConnectionError } from '../../cli/errors.ts';
import { run } from './run.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts a server that handles each request with the next handler. */
async function serve(t: TestContext, handlers: readonly Handler[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const handler = handlers[requests.push(request) - 1];
    if (handler) handler(request, response);
    else response.destroy();
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { requests, environment: { ATELIER_URL: `http://127.0.0.1:${port}/base/` } };
}

const json =
  (status: number, body: object): Handler =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const busy: Handler = (_request, response) => response.writeHead(503, { 'retry-after': '0' }).end();
const badGateway: Handler = (_request, response) => response.writeHead(502).end('<html>');
const hangUp: Handler = (_request, response) => response.destroy();
const JOB = {
  id: 'job_1',
  status: 'succeeded',
  model: { name: 'mine', version: 1 },
  warnings: [],
  best: null,
  training: { epochs: 1 },
  progress: { steps: 1000 },
};
const recipe = new URL('../../examples/recipes/small.json', import.meta.url).pathname;

test('repeats a request with the same Idempotency-Key after 503, 502 and a lost connection', async (t) => {
  const { requests, environment } = await serve(t, [busy, badGateway, hangUp, json(202, JOB)]);
  const { code, stdout, stderr } = await run(['train', recipe], environment);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'job_1\n');
  assert.equal(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size, 1);
  assert.deepEqual([...new Set(requests.map(({ url }) => url))], ['/base/v1/training-jobs']);
});

test('repeats an upload from the start of its file', async (t) => {
  const lengths: number[] = [];
  const receive =
    (respond: Handler): Handler =>
    async (request, response) => {
      lengths.push((await buffer(request)).length);
      respond(request, response);
    };
  const { environment } = await serve(t, [receive(busy), receive(json(201, { id: 'dst_1' }))]);
  const { code, stdout, stderr } = await run(['upload', recipe], environment);
  assert.deepEqual([code, stdout], [0, 'dst_1\n'], stderr);
  assert.equal(lengths[0], lengths[1]);
  assert.ok(lengths[0]! > statSync(recipe).size);
});

test('does not repeat a cancellation that may have succeeded, nor wait for an hour', async (t) => {
  const late: Handler = (_request, response) => response.writeHead(429, { 'retry-after': '3600' }).end();
  const { requests, environment } = await serve(t, [busy, badGateway, late]);
  assert.equal((await run(['cancel', 'job_1'], environment)).code, 1);
  assert.equal(requests.length, 2);
  const { code, stderr } = await run(['models'], environment);
  assert.deepEqual([code, requests.length], [1, 3]);
  assert.match(stderr, /status 429/);
});

test('repeats a request after the date of Retry-After', async (t) => {
  const until: Handler = (_request, response) =>
    response.writeHead(503, { 'retry-after': new Date().toUTCString() }).end();
  const { environment } = await serve(t, [until, json(202, JOB)]);
  const { code, stdout, stderr } = await run(['train', recipe], environment);
  assert.deepEqual([code, stdout], [0, 'job_1\n'], stderr);
});

test('continues a stream of events after the last id', async (t) => {
  const event = (id: number, type: string, data: object) =>
    `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ id, type, at: '', data })}\n\n`;
  const stream =
    (...parts: string[]): Handler =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const part of parts) response.write(part);
    };
  const cut =
    (...parts: string[]): Handler =>
    (request, response) => {
      stream(...parts)(request, response);
      response.end();
    };
  const warning = (id: number) => event(id, 'warning', { message: `number ${id}, ü` });
  const { requests, environment } = await serve(t, [
    json(200, JOB),
    cut('retry: 60000\n', warning(1), warning(2).slice(0, -1), ': The service stops.\nretry: 1\n'),
    hangUp,
    cut(': The service is starting.\nretry: 1\n'),
    stream(':\n', warning(2), ':\n', event(3, 'status', { from: 'running', to: 'succeeded' })),
    json(200, JOB),
  ]);
  const { code, stdout, stderr } = await run(['job', 'job_1', '--follow'], environment);
  assert.equal(code, 0, stderr);
  assert.equal(
    stdout,
    'warning: number 1, ü\nconnection lost, reconnecting\nwarning: number 2, ü\nstatus: succeeded\nPublished mine@1.\n',
  );
  assert.deepEqual(
    requests.slice(1, 5).map(({ headers }) => headers['last-event-id']),
    ['0', '1', '1', '1'],
  );
});

test('control characters in errors and in names of files do not reach the terminal', async (t) => {
  const detail = 'There is no model \u001B]0;title\u0007.\n\u009B2J';
  const problem: Handler = (_request, response) =>
    response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ detail }));
  const { environment } = await serve(t, [problem]);
  const { stderr } = await run(['model', 'mine'], environment);
  assert.equal(stderr, 'There is no model \uFFFD]0;title\uFFFD.\n\uFFFD2J\n');
  const missing = await run(['predict', '--model', 'mine', '\u001B[2Jboot.png'], environment);
  assert.match(missing.stderr, /\uFFFD\[2Jboot\.png/);
});

test('a response that is not JSON is an error of the connection', async (t) => {
  const { requests, environment } = await serve(t, [(_request, response) => response.end('<html>')]);
  const { code, stderr } = await run(['models'], environment);
  const { ATELIER_URL: url } = environment;
  const base = url.replace(/\/$/, '');
  assert.deepEqual([code, stderr], [1, `The response of ${base} is not JSON, or is not complete.\n`]);
  assert.equal(requests.length, 1);
});

test('a failed connection is described by its code, else by its cause, else by the error', async (t) => {
  const { environment } = await serve(t, []);
  const signal = new AbortController().signal;
  const { ATELIER_URL: url } = environment;
  for (const [address, options, message] of [
    [url, {}, /\/base cannot be reached: UND_ERR_SOCKET\.$/],
    // Some ports are forbidden.
    ['http://127.0.0.1:1', {}, /^The service at http:\/\/127\.0\.0\.1:1 cannot be reached: bad port\.$/],
    ['http://a', { body: 'text' }, /^The service at http:\/\/a cannot be reached: Request with GET/],
  ] as const) {
    const { attempt } = createClient(address, undefined, signal, () => {});
    await assert.rejects(attempt('/a', options), { constructor: ConnectionError, message });
  }
});
