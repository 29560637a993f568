/** Limits of time and repetitions of requests to an object store, with timers of the test. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createS3Client, readNothing } from '../../../src/store/s3/client.ts';
import { CREDENTIALS } from '../../support/servers/s3-server.ts';
import { failure } from '../fixtures.ts';

type Answer = (request: Request, signal: AbortSignal) => Promise<Response>;

/** A client whose requests are answered one by one, and the timers of their limits, which only the test lets expire. */
function createClient(t: TestContext, ...answers: readonly Answer[]) {
  const timers: { readonly ms: number; readonly expire: () => void; refreshed: number }[] = [];
  const { setTimeout } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (expire: () => void, ms: number) => {
    // Of something else in this process.
    if (ms < 30_000 || ms > 31_000) return setTimeout(expire, ms);
    const timer = { ms, expire, refreshed: 0, refresh: () => timer.refreshed++ };
    timers.push(timer);
    return timer;
  });
  const requests: Request[] = [];
  t.mock.method(globalThis, 'fetch', (request: Request, { signal }: { signal: AbortSignal }) => {
    requests.push(request);
    return answers[requests.length - 1]!(request, signal);
  });
  const client = createS3Client('s3://models/blobs?endpoint=http://store', CREDENTIALS, { pauseMs: 0 });
  /** Until a number of requests has been sent. */
  const sent = async (count: number) => {
    while (requests.length < count) await setImmediate();
  };
  return { client, requests, timers, sent };
}

/** Answers nothing until the request is aborted. */
const silent: Answer = (_request, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
const succeed: Answer = async () => new Response('');

test('a request without an answer is repeated after half a minute, or later with many bytes', async (t) => {
  const { client, requests, timers, sent } = createClient(t, silent, silent, succeed);
  const body = new Uint8Array(250_000);
  const done = client.send({ method: 'PUT', name: 'a', body }, readNothing);
  for (const count of [1, 2]) {
    await sent(count);
    timers[count - 1]!.expire();
  }
  await done;
  assert.deepEqual(
    requests.map(({ method, url }) => `${method} ${url}`),
    Array.from({ length: 3 }, () => 'PUT http://store/models/blobs/a'),
  );
  assert.deepEqual(
    timers.map(({ ms }) => ms),
    [31_000, 31_000, 31_000],
  );
});

test('each chunk of a response gives it another half of a minute', async (t) => {
  const chunks: Answer = async () => new Response(ReadableStream.from([Buffer.from('x'), Buffer.from('y')]));
  const { client, timers } = createClient(t, chunks);
  const text = await client.send({ method: 'GET', name: 'a' }, async (_response, body) =>
    Buffer.concat(await Array.fromAsync(body)).toString(),
  );
  assert.equal(text, 'xy');
  assert.deepEqual(
    timers.map(({ ms, refreshed }) => [ms, refreshed]),
    [[30_000, 2]],
  );
});

test('a request that its caller aborts is not repeated, and one that is refused neither', async (t) => {
  const refuse: Answer = async () =>
    new Response('<Error><Code>AccessDenied</Code></Error>', { status: 403 });
  const { client, requests, sent } = createClient(t, silent, refuse);
  const controller = new AbortController();
  const { signal } = controller;
  const done = client.send({ method: 'DELETE', name: 'a', signal }, readNothing);
  await sent(1);
  controller.abort(new TypeError('The connection is lost.'));
  await assert.rejects(done, failure('storage-unavailable'));
  await assert.rejects(
    client.send({ method: 'GET' }, readNothing),
    failure('storage-unavailable', 'AccessDenied'),
  );
  assert.deepEqual(
    requests.map(({ method, url }) => `${method} ${url}`),
    ['DELETE http://store/models/blobs/a', 'GET http://store/models'],
  );
});
