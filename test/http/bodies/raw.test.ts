import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import Fastify from 'fastify';
import {
  parseMediaType,
  registerRawBodies,
  rejectEncodedBodies,
  requireBody,
  unsupportedType,
} from '../../../src/http/bodies/raw.ts';
import { registerErrorHandler } from '../../../src/http/errors/error-handler.ts';

const app = Fastify();
app.decorate('basePath', '');
registerErrorHandler(app, 1024);
rejectEncodedBodies(app);
registerRawBodies(app);
const handler = async ({ body }: { body: unknown }) => String(requireBody(body));
const scope = 'predict' as const;
app.post('/any', { config: { scope } }, handler);
app.post('/inflates', { config: { scope, inflates: true }, bodyLimit: 100 }, handler);
app.post(
  '/csv',
  { config: { scope, mediaTypes: ['text/csv', 'a/b', ''], mediaTypeParameters: { 'text/csv': ['header'] } } },
  handler,
);

async function post(url: string, payload: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
  const response = await app.inject({ method: 'POST', url, payload, headers });
  const said = response.statusCode === 200 ? response.body : response.json().detail;
  return [response.statusCode, said, response.headers['accept-encoding']];
}
const encoded = (encoding: string, type = 'a/b') => ({ 'content-encoding': encoding, 'content-type': type });

test('a body may be compressed if its route inflates it', async () => {
  const whole = 'x'.repeat(100);
  assert.deepEqual(await post('/inflates', gzipSync(whole), encoded(' GZIP ')), [200, whole, undefined]);
  assert.deepEqual(await post('/inflates', deflateSync('abc'), encoded('deflate')), [200, 'abc', undefined]);
  for (const encoding of ['identity', ' Identity ', ''])
    assert.deepEqual(await post('/any', 'abc', encoded(encoding)), [200, 'abc', undefined]);
});

for (const [url, encoding, allowed] of [
  ['/any', 'gzip', 'identity'],
  ['/inflates', 'br', 'gzip, deflate, identity'],
  ['/inflates', 'gzip, gzip', 'gzip, deflate, identity'],
] as const) {
  test(`${url} does not take a body with Content-Encoding: ${encoding}`, async () => {
    const said = `Content-Encoding: ${encoding} is not supported. Allowed: ${allowed}, or no Content-Encoding.`;
    assert.deepEqual(await post(url, 'abc', encoded(encoding)), [415, said, allowed]);
  });
}

test('an inflated body has the limit of its route, and must be whole', async () => {
  const large = await post('/inflates', gzipSync('x'.repeat(101)), encoded('gzip'));
  assert.deepEqual(large.slice(0, 2), [413, 'The inflated body is larger than the limit of 100 bytes.']);
  const [status, said] = await post('/inflates', 'abc', encoded('gzip'));
  assert.deepEqual([status, String(said).slice(0, 32)], [400, 'The body cannot be decompressed:']);
  assert.deepEqual((await post('/any', '')).slice(0, 2), [400, 'The request has no body. Send one.']);
});

test('a media type may have known parameters, and text must be UTF-8', async () => {
  const status = async (url: string, type: string) => (await post(url, 'x', { 'content-type': type }))[0];
  for (const type of [
    'text/csv',
    'Text/CSV ; HEADER = "present"; charset=UTF-8',
    'text/csv; charset=us-ascii',
    'text/csv; header',
    'a/b; x=1; charset=latin1',
  ])
    assert.equal(await status('/csv', type), 200, type);
  for (const type of ['text/csv; charset=latin1', 'text/csv; x=1', 'text/html', 'a/c'])
    assert.equal(await status('/csv', type), 415, type);
  assert.equal(await status('/any', 'text/x; charset=latin1'), 415);
  assert.equal(await status('/any', 'text/x; y=1'), 200);
  const said = async (type: string) => (await post('/csv', 'x', { 'content-type': type }))[1];
  assert.equal(
    await said('text/csv; x=1'),
    'The content type has the unknown parameter "x". Allowed: header, charset.',
  );
  assert.equal(await said('a/c'), 'The content type a/c is not supported. Allowed: text/csv, a/b.');
});

test('the media type of a header is in lower case, without parameters', () => {
  for (const [header, type] of [
    ['Text/CSV ; a=b', 'text/csv'],
    [' a/b ', 'a/b'],
    [';a=b', ''],
    [undefined, ''],
  ] as const)
    assert.equal(parseMediaType(header), type);
});

test('the error of a missing type, or of the default of curl, says what to send', () => {
  const png = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const advice = (sent: string | undefined, allowed: string[], body?: Buffer) =>
    unsupportedType(sent, allowed, body).message.split(` Allowed: ${allowed.join(', ')}.`);
  const none = 'The request has no Content-Type.';
  const types = ['application/json', 'image/png'];
  assert.deepEqual(advice('a/b', types), ['The content type a/b is not supported.', '']);
  assert.deepEqual(advice('', ['a/b']), [none, " With curl, add -H 'content-type: a/b'."]);
  assert.deepEqual(advice(undefined, ['multipart/form-data']), [
    none,
    ' With curl, send a form: -F file=@NAME.',
  ]);
  assert.deepEqual(advice(undefined, types, png), [none, " With curl, add -H 'content-type: image/png'."]);
  assert.deepEqual(advice(undefined, types, Buffer.from('GIF89a')), [none, ' The body is a GIF image.']);
  const [, curl] = advice('application/x-www-form-urlencoded; charset=utf-8', types);
  assert.equal(curl, " With curl, add the type of the body, as in -H 'content-type: application/json'.");
});
