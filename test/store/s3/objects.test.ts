import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { S3Client, S3Request } from '../../../src/store/s3/client.ts';
import { S3Error } from '../../../src/store/s3/errors.ts';
import { createObjects, readBytes } from '../../../src/store/s3/objects.ts';

async function* readBody({ body }: Response) {
  if (body) yield* body;
}

/** Objects of a store with the prefix `p/`, whose requests get these responses, one after the other. */
function open(...responses: readonly (() => Response)[]) {
  const sent: S3Request[] = [];
  const client: S3Client = {
    prefix: 'p/',
    async send(request, read) {
      sent.push(request);
      const response = responses[sent.length - 1]!();
      return read(response, readBody(response));
    },
  };
  return { objects: createObjects(client, { partBytes: 10 }), sent };
}

const accept = () => new Response('');
const entry = (name: string, modified: string) =>
  `<Contents><Key>p/${name}</Key><LastModified>${modified}</LastModified></Contents>`;
const page = (xml: string, date?: string) => () =>
  new Response(xml, { headers: date === undefined ? {} : { date } });

test('a list goes on with the token of each page, and tells ages by the clock of the store', async () => {
  const { objects, sent } = open(
    page(
      `${entry('a1', '2026-01-01T00:00:00.000Z')}${entry('a2', '2026-01-01T00:00:59.000Z')}` +
        '<NextContinuationToken>next</NextContinuationToken>',
      'Thu, 01 Jan 2026 00:01:00 GMT',
    ),
    page(entry('a3', '2026-01-01T00:00:00.000Z'), 'Thu, 01 Jan 2026 00:02:00 GMT'),
  );
  assert.deepEqual(await Array.fromAsync(objects.list('a')), [
    { name: 'a1', ageMs: 60_000 },
    { name: 'a2', ageMs: 1000 },
    { name: 'a3', ageMs: 120_000 },
  ]);
  const query = { 'list-type': '2', prefix: 'p/a' };
  assert.deepEqual(sent, [
    { method: 'GET', query },
    { method: 'GET', query: { ...query, 'continuation-token': 'next' } },
  ]);
});

test('a store without a clock has that of this process', async (t) => {
  t.mock.method(Date, 'now', () => Date.parse('2026-01-01T01:00:00.000Z'));
  const { objects } = open(page(entry('a', '2026-01-01T00:00:00.000Z')));
  assert.deepEqual(await Array.fromAsync(objects.list('')), [{ name: 'a', ageMs: 3_600_000 }]);
});

test('bytes are sent in parts if they need more than eight', async () => {
  const { objects, sent } = open(accept);
  const bytes = new Uint8Array(80).fill(1);
  await objects.put('a', bytes, 'digest');
  assert.deepEqual(sent, [{ method: 'PUT', name: 'a', body: bytes, sha256: 'digest' }]);
  const inParts = open(...Array.from({ length: 11 }, () => accept));
  await inParts.objects.put(
    'a',
    Uint8Array.from({ length: 81 }, (_, n) => n),
    'digest',
  );
  assert.deepEqual(
    inParts.sent.slice(1, -1).map(({ body }) => [body?.[0], body?.length]),
    Array.from({ length: 9 }, (_, n) => [10 * n, n < 8 ? 10 : 1]),
  );
});

test('an object that does not exist is undefined, and every other failure an error', async () => {
  const fail = (error: Error) => () => {
    throw error;
  };
  const { objects } = open(
    fail(new S3Error(404, '<Code>NoSuchKey</Code>')),
    fail(new Error('lost')),
    () => new Response('content'),
  );
  assert.equal(await objects.get('a', readBytes), undefined);
  await assert.rejects(objects.get('a', readBytes), /lost/);
  assert.deepEqual(await objects.get('a', readBytes), new Uint8Array(Buffer.from('content')));
});

test('a removal can be ended by its signal, and a check lists one object', async () => {
  const { objects, sent } = open(accept, accept, accept);
  const { signal } = new AbortController();
  await objects.remove('a');
  await objects.remove('a', signal);
  await objects.assertUsable();
  assert.deepEqual(sent, [
    { method: 'DELETE', name: 'a' },
    { method: 'DELETE', name: 'a', signal },
    { method: 'GET', query: { 'list-type': '2', 'max-keys': '1' } },
  ]);
});

test('chunks are joined to bytes in a buffer of their own', async () => {
  const chunks = [Uint8Array.of(9, 1, 2).subarray(1), new Uint8Array(), Uint8Array.of(3)];
  const bytes = await readBytes(ReadableStream.from(chunks));
  assert.deepEqual([...bytes], [1, 2, 3]);
  assert.deepEqual([bytes.byteOffset, bytes.buffer.byteLength], [0, 3]);
});
