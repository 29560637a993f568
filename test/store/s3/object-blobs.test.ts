import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createS3Client, type S3Credentials } from '../../../src/store/s3/client.ts';
import { parseBlobUrl } from '../../../src/store/s3/location.ts';
import { createObjectBlobs } from '../../../src/store/s3/object-blobs.ts';
import { createObjects } from '../../../src/store/s3/objects.ts';
import { CREDENTIALS, startS3 } from '../../support/servers/s3-server.ts';
import { failure, temporaryDirectory } from '../fixtures.ts';

const bytes = new Uint8Array(100_000).map((_, n) => n % 251);
const hex = createHash('sha256').update(bytes).digest('hex');
const digest = `sha256:${hex}`;
const ATTEMPTS = 5;

async function fixture(t: TestContext, options: { pageSize?: number } = {}) {
  const server = await startS3(options);
  t.after(() => server.close());
  const connect = (changes: Partial<S3Credentials> = {}, url = server.url) =>
    createObjects(createS3Client(url, { ...CREDENTIALS, ...changes }, { pauseMs: 1 }), {
      partBytes: 2 ** 14,
    });
  return { server, connect, blobs: createObjectBlobs(connect()), directory: await temporaryDirectory(t) };
}

test('blobs are stored under the prefix, with signed requests, and come back', async (t) => {
  const { server, blobs, directory } = await fixture(t);
  assert.equal(await blobs.put(bytes), digest);
  assert.deepEqual([...server.objects.keys()], [`atelier/blobs/${hex}`]);
  const found = await blobs.get(digest);
  assert.deepEqual([found.byteOffset, found], [0, bytes]);
  const empty = await blobs.put(new Uint8Array());
  assert.equal((await blobs.get(empty)).length, 0);
  const part = bytes.subarray(5, 4101);
  assert.deepEqual(await blobs.get(await blobs.put(part)), new Uint8Array(part));
  await blobs.remove(digest);
  await blobs.remove(digest);
  const missing = failure('state-unusable', digest, 'missing', 'backup');
  await assert.rejects(blobs.get(digest), missing);
  await assert.rejects(blobs.getFile(digest, join(directory, 'copy')), missing);
});

test('files are sent in parts, and fetched chunk by chunk', async (t) => {
  const { server, blobs, directory } = await fixture(t);
  const [source, copy] = [join(directory, 'source'), join(directory, 'copy')];
  for (const [length, parts] of [
    [0, 0],
    [2 ** 14, 0],
    [2 ** 14 + 1, 2],
    [bytes.length, 7],
  ] as const) {
    await writeFile(source, bytes.subarray(0, length));
    server.requests.length = 0;
    const stored = await blobs.putFile(source);
    assert.equal(server.requests.filter((line) => line.endsWith('?partNumber&uploadId')).length, parts);
    await blobs.getFile(stored, `${copy}${length}`);
    assert.deepEqual(await readFile(`${copy}${length}`), Buffer.from(bytes.subarray(0, length)));
  }
  for (const length of [2 ** 17 + 1, 9 * 2 ** 14]) {
    const large = new Uint8Array(length).fill(7);
    server.requests.length = 0;
    assert.deepEqual(await blobs.get(await blobs.put(large)), large);
    assert.equal(server.requests.filter((line) => line.endsWith('?partNumber&uploadId')).length, 9);
  }
  assert.equal(server.uploads.size, 0);
});

test('an upload in parts that fails is aborted, and leaves no object', async (t) => {
  const { server, blobs, directory } = await fixture(t);
  const source = join(directory, 'source');
  await writeFile(source, bytes);
  server.fails = ({ query }) => (query.get('partNumber') === '3' ? 503 : undefined);
  await assert.rejects(blobs.putFile(source), failure('storage-unavailable', 'Injected'));
  assert.deepEqual([server.objects.size, server.uploads.size], [0, 0]);
  assert.equal(server.requests.filter((line) => line.includes('partNumber')).length, 2 + ATTEMPTS);
  // Completed with the status 200, but with an error in the body.
  server.fails = ({ method, query }) => {
    if (method === 'POST' && query.has('uploadId'))
      for (const parts of server.uploads.values()) (parts as Map<number, Buffer>).delete(1);
    return undefined;
  };
  await assert.rejects(blobs.putFile(source), failure('storage-unavailable', 'InvalidPart'));
  assert.deepEqual([server.objects.size, server.uploads.size], [0, 0]);
});

test('requests are repeated after failures of server and connection', async (t) => {
  const { server, blobs, directory } = await fixture(t);
  for (const fault of [500, 503, 429, 'reset'] as const) {
    let left = ATTEMPTS - 1;
    server.fails = () => (left-- > 0 ? fault : undefined);
    assert.equal(await blobs.put(bytes), digest);
  }
  let left = 2;
  server.fails = () => (left-- > 0 ? 'cut' : undefined);
  assert.deepEqual(await blobs.get(digest), bytes);
  left = 2;
  await blobs.getFile(digest, join(directory, 'copy'));
  assert.deepEqual(await readFile(join(directory, 'copy')), Buffer.from(bytes));

  for (const fault of [500, 'reset', 'cut'] as const) {
    server.fails = () => fault;
    server.requests.length = 0;
    await assert.rejects(
      blobs.getFile(digest, join(directory, 'never')),
      failure('storage-unavailable', 'BLOB_URL'),
    );
    assert.equal(server.requests.length, ATTEMPTS);
  }
  assert.deepEqual(await readdir(directory), ['copy']);
});

test('a truncated object is reported as damaged, and a full store as full', async (t) => {
  const { server, blobs, directory } = await fixture(t);
  await blobs.put(bytes);
  server.fails = () => 'truncate';
  await assert.rejects(blobs.get(digest), failure('state-unusable', digest, 'damaged'));
  await assert.rejects(blobs.getFile(digest, join(directory, 'copy')), failure('state-unusable', digest));
  assert.deepEqual(await readdir(directory), []);
  server.fails = () => 507;
  await assert.rejects(blobs.put(bytes), failure('storage-full', 'Free some space'));
});

test('wrong credentials, buckets and servers are named without their values', async (t) => {
  const { server, connect } = await fixture(t);
  const wrong: [Partial<S3Credentials>, string, string[]][] = [
    [{ secretAccessKey: 'other' }, server.url, ['SignatureDoesNotMatch', 'Check AWS_SECRET_ACCESS_KEY']],
    [{ accessKeyId: 'OTHER' }, server.url, ['InvalidAccessKeyId', 'AWS_ACCESS_KEY_ID']],
    [{ sessionToken: null }, server.url, ['InvalidToken', 'AWS_SESSION_TOKEN']],
    [{ region: 'mars-1' }, server.url, ['AuthorizationHeaderMalformed', 'region']],
    [{}, server.url.replace('models', 'other'), ['NoSuchBucket', 'Create the bucket']],
  ];
  for (const [changes, url, expected] of wrong) {
    server.requests.length = 0;
    const blobs = createObjectBlobs(connect(changes, url));
    const isNamed = failure('storage-unavailable', ...expected);
    await assert.rejects(
      blobs.put(bytes),
      (error) => isNamed(error) && !/other\b|mars|127\.0/.test(String(error)),
    );
    await assert.rejects(blobs.get(digest), isNamed);
    assert.equal(server.requests.length, 2, 'such requests are not repeated');
  }
  await server.close();
  await assert.rejects(
    createObjectBlobs(connect()).get(digest),
    failure('storage-unavailable', 'ECONNREFUSED'),
  );
});

test('lists all objects whose name begins with the given digits, with their age', async (t) => {
  const { server, connect } = await fixture(t, { pageSize: 3 });
  const objects = connect();
  for (let n = 0; n < 10; n++) await objects.put(`a${n}`, bytes, hex);
  await objects.put('b0', bytes, hex);
  server.objects.get('atelier/blobs/a4')!.modifiedAt -= 7_200_000;
  server.objects.set('atelier/other', { bytes: Buffer.alloc(0), modifiedAt: 0 });
  const found = await Array.fromAsync(objects.list('a'));
  assert.deepEqual(
    found.map(({ name }) => name),
    Array.from({ length: 10 }, (_, n) => `a${n}`),
  );
  assert.deepEqual(
    found.filter(({ ageMs }) => ageMs > 3_600_000).map(({ name }) => name),
    ['a4'],
  );
  assert.deepEqual(await Array.fromAsync(objects.list('c')), []);
});

test('BLOB_URL names bucket, prefix, endpoint and region', () => {
  assert.deepEqual(parseBlobUrl('s3://my.bucket', 'eu-west-1'), {
    endpoint: 'https://s3.eu-west-1.amazonaws.com',
    bucket: 'my.bucket',
    prefix: '',
    region: 'eu-west-1',
  });
  assert.deepEqual(parseBlobUrl('s3://b/a/c/?endpoint=http://10.0.0.1:9000/s3/&region=x', 'eu-west-1'), {
    endpoint: 'http://10.0.0.1:9000/s3',
    bucket: 'b',
    prefix: 'a/c/',
    region: 'x',
  });
  for (const wrong of [
    'http://b',
    's3:///prefix',
    's3://key:secret@b',
    's3://b/a//c',
    's3://b/%20',
    's3://b?endpont=http://x',
    's3://b?endpoint=ftp://x',
    's3://b?endpoint=x',
  ]) {
    assert.throws(
      () => parseBlobUrl(wrong, 'x'),
      (error) => error instanceof TypeError || error instanceof RangeError,
      wrong,
    );
  }
});
