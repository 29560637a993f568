import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { cacheControl } from '../../../src/http/conditional/cache-control.ts';
import {
  createByteCache,
  createPageCache,
  formatTag,
  sendPrepared,
} from '../../../src/http/conditional/prepared.ts';

test('a response that the client has is not prepared', async () => {
  const app = Fastify();
  let prepared = 0;
  app.get('/', async (request, reply) =>
    sendPrepared(request, reply, '"a"', async () => {
      prepared++;
      return { tag: '"b"', bytes: Buffer.from('{}') };
    }),
  );
  const known = await app.inject({ url: '/', headers: { 'if-none-match': '"a"' } });
  assert.deepEqual([known.statusCode, known.headers.etag, known.body, prepared], [304, '"a"', '', 0]);
  const { statusCode, headers, body } = await app.inject('/');
  assert.deepEqual([statusCode, headers.etag, body, prepared], [200, '"b"', '{}', 1]);
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
});

test('a page is rendered once per URL and revision', async () => {
  const app = Fastify();
  let [revision, reads] = [1, 0];
  const send = createPageCache(() => revision);
  app.get('/:name', (request, reply) => send(request, reply, async () => ({ reads: ++reads })));
  const get = async (url: string) => (await app.inject(url)).json().reads;
  assert.deepEqual([await get('/a'), await get('/a'), await get('/b'), await get('/a')], [1, 1, 2, 1]);
  revision = 2;
  assert.deepEqual([await get('/a'), await get('/a')], [3, 3]);
});

test('a cache keeps 16 MiB with its keys, of the entries that were used last', () => {
  const cache = createByteCache<{ bytes: Buffer }>();
  const bytes = Buffer.allocUnsafe(8 * 1_048_576 - 201);
  for (const key of ['a', 'b']) cache.set(key, { bytes });
  assert.equal(cache.calculatedSize, 16 * 1_048_576);
  cache.get('a');
  cache.set('c', { bytes: Buffer.alloc(0) });
  assert.deepEqual([...cache.keys()].toSorted(), ['a', 'c']);
});

test('a tag depends on every revision', () => {
  const tags = [formatTag('a', 1), formatTag('a', 1), formatTag('a', 2), formatTag('a', '1'), formatTag('a')];
  assert.equal(tags[0], tags[1]);
  assert.equal(new Set(tags).size, 4);
  assert.match(tags[0]!, /^"[\w-]{27}"$/);
});

test('only bytes that never change are used again without asking', () => {
  assert.equal(cacheControl(true), 'private, max-age=31536000, immutable');
  assert.equal(cacheControl(false), 'private, no-cache');
});
