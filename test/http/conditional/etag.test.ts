import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify, { type FastifyRequest } from 'fastify';
import { contentTag, isFresh, registerEtag } from '../../../src/http/conditional/etag.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const request = (method: string, headers: object) => ({ method, headers }) as FastifyRequest;
const get = (headers: object) => isFresh(request('GET', headers), '"a"');

test('a client has a representation if it names its tag, of any encoding', () => {
  for (const [tags, isKnown] of [
    ['"a"', true],
    ['W/"a"', true],
    ['"x", "a-gzip"', true],
    ['*', true],
    ['"b"', false],
  ] as const)
    assert.equal(get({ 'if-none-match': tags }), isKnown, tags);
  assert.equal(get({}), false);
  assert.equal(isFresh(request('POST', { 'if-none-match': '"a"' }), '"a"'), false);
  assert.equal(isFresh(request('HEAD', { 'if-none-match': '"a"' }), '"a"'), true);
});

test('a client may require a tag, but a range does not continue a compressed representation', () => {
  assert.equal(get({ 'if-match': '"a-gzip"' }), false);
  assert.equal(get({ 'if-match': '"a"', 'if-none-match': '"a"' }), true);
  assert.equal(get({ 'if-match': '"a"', range: 'bytes=1-' }), false);
  for (const headers of [
    { 'if-match': '"b"' },
    { 'if-match': 'W/"a"' },
    { 'if-match': '"a-gzip"', range: 'bytes=1-' },
  ])
    assert.throws(() => get(headers), isAtelierError('precondition-failed', /the current ETag "a"\./));
  assert.equal(isFresh(request('POST', { 'if-match': '"b"' }), '"a"'), false);
});

test('reads in a scope have the tag of their content, or one of their own', async () => {
  const app = Fastify();
  registerEtag(app);
  app.get('/text', async () => 'abc');
  app.get('/bytes', async () => Buffer.from('abc'));
  app.get('/own', async (_request, reply) => reply.header('etag', '"own"').send('abc'));
  app.get('/created', async (_request, reply) => reply.code(201).send('abc'));
  app.post('/text', async () => 'abc');
  const send = async (url: string, headers = {}, method: 'GET' | 'POST' = 'GET') => {
    const response = await app.inject({ method, url, headers });
    return [response.statusCode, response.headers.etag, response.body];
  };
  // SHA-1 of "abc", the example of FIPS 180-4.
  const tag = `"${Buffer.from('a9993e364706816aba3e25717850c26c9cd0d89d', 'hex').toString('base64url')}"`;
  assert.equal(contentTag('abc'), tag);
  assert.deepEqual(await send('/text'), [200, tag, 'abc']);
  assert.deepEqual(await send('/bytes'), [200, tag, 'abc']);
  assert.deepEqual(await send('/text', { 'if-none-match': tag }), [304, tag, '']);
  assert.deepEqual(await send('/own', { 'if-none-match': '"own"' }), [304, '"own"', '']);
  assert.deepEqual(await send('/created'), [201, undefined, 'abc']);
  assert.deepEqual(await send('/text', {}, 'POST'), [200, undefined, 'abc']);
});
