import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { PROTOCOL_ERRORS } from '../../../src/http/errors/protocol-errors.ts';
import { sendPlainJson, sendRendered } from '../../../src/http/responses/plain-json.ts';

test('the JSON of other protocols has no charset, and passes through the hooks of its route', async () => {
  const app = Fastify();
  sendPlainJson(app);
  const config = { scope: 'predict', errorFormat: PROTOCOL_ERRORS } as const;
  const handler = async () => ({ a: 1 });
  app.get('/native', handler);
  app.get('/other', { config }, handler);
  const onSend = async (_request: unknown, _reply: unknown, payload: unknown) => `${payload} `;
  app.get('/hooked', { config, onSend }, handler);
  app.get('/text', { config }, async () => 'text');
  app.get('/rendered', async (_request, reply) => sendRendered(reply, '[1]'));
  const get = async (url: string) => {
    const { headers, body } = await app.inject(url);
    return [headers['content-type'], body];
  };
  assert.deepEqual(await get('/native'), ['application/json; charset=utf-8', '{"a":1}']);
  assert.deepEqual(await get('/other'), ['application/json', '{"a":1}']);
  assert.deepEqual(await get('/hooked'), ['application/json', '{"a":1} ']);
  assert.deepEqual(await get('/text'), ['text/plain; charset=utf-8', 'text']);
  assert.deepEqual(await get('/rendered'), ['application/json', '[1]']);
});
