import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import Fastify from 'fastify';
import { AtelierError } from '../../../src/errors.ts';
import { registerErrorHandler, sendProblem } from '../../../src/http/errors/error-handler.ts';
import { assertProblem, startService, temporaryDirectory, train } from '../../support/start-service.ts';

test('a damaged JSON column gives 500 with advice, and is logged', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const lines: string[] = [];
  const { app } = await startService(t, { STATE_DIR }, (line) => lines.push(line));
  const { id } = await train(app);
  const database = new DatabaseSync(join(STATE_DIR, 'atelier.sqlite'), { timeout: 5000 });
  database.prepare('update jobs set request = ? where id = ?').run('{x', id);
  database.close();
  lines.length = 0;
  const { detail } = assertProblem(await app.inject(`/v1/training-jobs/${id}`), 500, 'state-unusable');
  assert.match(detail, /database is damaged.*backup/);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /SyntaxError/);
  assert.deepEqual((await app.inject('/v1/training-jobs')).json().data, [], 'lists leave out damaged jobs');
});

test('a SyntaxError of a handler is a defect of the service, not of the body', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const app = Fastify({ logger: { level: 'error', stream } });
  registerErrorHandler(app, 1024);
  app.get('/', async () => JSON.parse('{x'));
  const response = await app.inject('/');
  assert.deepEqual([response.statusCode, response.json().code], [500, 'internal-error']);
  assert.ok(!response.body.includes('JSON'));
  assert.match(lines.join(''), /SyntaxError/);
});

test('an error that may be repeated says when, by its own estimate or after five seconds', async () => {
  const app = Fastify();
  registerErrorHandler(app, 1024);
  app.decorate('basePath', '');
  const errors: Record<string, AtelierError> = {
    estimated: new AtelierError('queue-full', 'Full.', { retryAfterSeconds: 60 }),
    full: new AtelierError('queue-full', 'Full.'),
    busy: new AtelierError('overloaded', 'Busy.'),
    locked: new AtelierError('request-in-flight', 'In flight.', { retryAfterSeconds: 1 }),
    wrong: new AtelierError('invalid-request', 'Wrong.'),
    broken: new AtelierError('internal-error', 'Broken.'),
  };
  app.get<{ Params: { name: string } }>('/:name', ({ params }) => {
    throw errors[params.name]!;
  });
  const retryAfter = async (name: string) => (await app.inject(`/${name}`)).headers['retry-after'];
  const found = await Promise.all(Object.keys(errors).map(retryAfter));
  assert.deepEqual(found, ['60', '5', '5', '1', undefined, undefined]);
});

test('an error drops the headers of the response that it ends', async () => {
  const app = Fastify();
  registerErrorHandler(app, 1024);
  app.decorate('basePath', '');
  app.get('/', async (_request, reply) => {
    reply.headers({ etag: '"a"', 'cache-control': 'private', 'accept-ranges': 'bytes', 'x-own': '1' });
    throw new AtelierError('model-not-found', 'There is no such model.');
  });
  const { headers, body } = await app.inject('/');
  assert.deepEqual(
    ['etag', 'cache-control', 'accept-ranges', 'x-own'].map((name) => headers[name]),
    [undefined, undefined, undefined, '1'],
  );
  assert.equal(Number(headers['content-length']), body.length);
});

test('errors of Fastify have codes and sentences of our own', async () => {
  const app = Fastify({ bodyLimit: 4, routerOptions: { maxParamLength: 5 } });
  registerErrorHandler(app, 1024);
  app.decorate('basePath', '');
  app.post('/', { schema: { body: {} } }, async () => 'x');
  app.get('/forbidden', () => {
    throw Object.assign(new Error('x'), { statusCode: 403 });
  });
  app.get('/odd', () => {
    throw Object.assign(new Error('this is odd'), { statusCode: 422 });
  });
  const post = (type: string, payload: string) =>
    app.inject({ method: 'POST', url: '/', headers: { 'content-type': type }, payload });
  for (const [sent, status, detail] of [
    [post('application/json', '[1,2]'), 413, 'The body is larger than the limit of 4 bytes.'],
    [post('a/b', 'x'), 415, 'The content type a/b is not supported. Allowed: application/json.'],
    [app.inject('/forbidden'), 404, 'There is no route GET /forbidden. All routes are listed at /docs.'],
    [app.inject('/odd'), 400, 'This is odd.'],
  ] as const) {
    const response = await sent;
    assert.deepEqual([response.statusCode, response.json().detail], [status, detail]);
  }
});

test('an unsupported content type is told those of its route', async () => {
  const app = Fastify();
  registerErrorHandler(app, 1024);
  app.decorate('basePath', '');
  const requestContent = { 'image/png': { schema: {} } };
  app.post('/plain', async () => 'x');
  app.post('/files', { schema: { requestContent } }, async () => 'x');
  app.post('/both', { schema: { body: {}, requestContent } }, async () => 'x');
  for (const [url, allowed] of [
    ['/plain', 'application/json'],
    ['/files', 'image/png'],
    ['/both', 'application/json, image/png'],
  ] as const) {
    const response = await app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'a/b' },
      payload: 'x',
    });
    assert.equal(response.json().detail, `The content type a/b is not supported. Allowed: ${allowed}.`);
  }
});

test('errors of the router and of the length of a body have codes of our own', async () => {
  const app = Fastify();
  registerErrorHandler(app, 1024);
  app.decorate('basePath', '');
  app.get<{ Params: { code: string } }>('/:code', ({ params }) => {
    throw Object.assign(new Error('x'), { code: params.code, statusCode: 400 });
  });
  app.post('/', async () => 'x');
  const headers = { 'content-type': 'application/json', 'content-length': '5' };
  for (const [sent, expected] of [
    [
      app.inject('/FST_ERR_BAD_URL'),
      [
        400,
        'invalid-request',
        'The path is invalid: two hexadecimal digits must follow each percent sign, and the bytes must be UTF-8.',
      ],
    ],
    [
      app.inject('/FST_ERR_MAX_PARAM_LENGTH'),
      [404, 'route-not-found', 'A name in the path is longer than 128 characters.'],
    ],
    [
      app.inject({ method: 'POST', url: '/', headers, payload: '[1]' }),
      [400, 'malformed-body', 'Request body size did not match Content-Length.'],
    ],
  ] as const) {
    const response = await sent;
    const { code, detail } = response.json();
    assert.deepEqual([response.statusCode, code, detail], expected);
  }
});

test('an unread body is read up to the limit of the service, or of its route if that is larger', async () => {
  const app = Fastify({
    bodyLimit: 10,
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, 1000),
  });
  registerErrorHandler(app, 1000);
  app.decorate('basePath', '');
  const reject = async () => {
    throw new AtelierError('overloaded', 'Busy.');
  };
  app.post('/small', { onRequest: reject }, async () => 'x');
  app.post('/large', { onRequest: reject, bodyLimit: 3000 }, async () => 'x');
  for (const [url, limit] of [
    ['/small', 1000],
    ['/large', 3000],
    ['/%zz', 1000],
  ] as const) {
    for (const size of [limit, limit + 1]) {
      const { headers } = await app.inject({ method: 'POST', url, payload: 'x'.repeat(size) });
      assert.equal(headers.connection === 'close', size > limit, `${url} with ${size} bytes`);
    }
  }
});
