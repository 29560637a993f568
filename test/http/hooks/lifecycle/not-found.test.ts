import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import Fastify from 'fastify';
import { registerErrorHandler } from '../../../../src/http/errors/error-handler.ts';
import { registerNotFound } from '../../../../src/http/hooks/lifecycle/not-found.ts';

const app = Fastify();
app.decorate('basePath', '/base');
registerErrorHandler(app, 1024);
registerNotFound(app);
app.get('/v1/models/:name', async () => 'model');
app.delete('/v1/models/:name', async () => 'deleted');
app.post('/v1/models/:name(^[^:/]+)::predict', async () => 'predicted');
app.get('/v1/jobs', { exposeHeadRoute: false }, async () => 'jobs');
app.get('/files/*', async (_request, reply) => reply.callNotFound());

async function send(method: 'DELETE' | 'GET' | 'POST' | 'PUT', url: string) {
  const { statusCode, headers, body } = await app.inject({ method, url });
  const detail = headers['content-type']?.startsWith('application/') ? JSON.parse(body) : { detail: body };
  return [statusCode, headers.allow, detail.detail ?? detail.error];
}

test('routes and their verbs are found', async () => {
  assert.deepEqual(await send('GET', '/v1/models/a'), [200, undefined, 'model']);
  assert.deepEqual(await send('GET', '/v1/models/a%20b?x=:y'), [200, undefined, 'model']);
  for (const url of ['/v1/models/a:predict', '/v1/models/a%3apredict?x'])
    assert.deepEqual(await send('POST', url), [200, undefined, 'predicted']);
});

for (const [method, url, allowed] of [
  ['PUT', '/v1/models/a', 'GET, HEAD, DELETE'],
  ['POST', '/v1/jobs', 'GET'],
  ['GET', '/v1/models/a:predict', 'POST'],
  ['DELETE', '/v1/models/a%3Apredict', 'POST'],
] as const) {
  test(`${method} ${url} names the methods of its path`, async () => {
    const detail = `/base${url} does not support ${method}. Allowed methods: ${allowed}.`;
    assert.deepEqual(await send(method, url), [405, allowed, detail]);
  });
}

for (const [method, url] of [
  ['GET', '/v1'],
  ['GET', '/v1/jobs/a'],
  ['GET', '/v1/models/'],
  ['PUT', '/v1/models/'],
  ['GET', '/files/a'],
  ['POST', '/v1/jobs/a:predict'],
] as const) {
  test(`${method} ${url} is no route`, async () => {
    const detail = `There is no route ${method} /base${url}. All routes are listed at /base/docs.`;
    assert.deepEqual(await send(method, `${url}?x=1`), [404, undefined, detail]);
  });
}

test('an unknown verb names those that exist', async () => {
  for (const url of ['/v1/models/a:fly', '/v1/models/:predict', '/v1/models/a%2Fb:predict']) {
    const [status, , detail] = await send('POST', url);
    assert.equal(status, 404, url);
    assert.equal(
      detail,
      `There is no route POST /base${url}. The verbs of a model are: predict. They follow its name, which has no colon and no slash.`,
    );
  }
});

test('OPTIONS * lists the methods of all routes', async (t) => {
  t.after(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const [response] = await once(request({ port, method: 'OPTIONS', path: '*' }).end(), 'response');
  response.resume();
  assert.deepEqual([response.statusCode, response.headers.allow], [204, 'GET, HEAD, DELETE, POST']);
});
