import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import http, { type RequestOptions } from 'node:http';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import { toBlockList } from '../../../src/services/webhooks/addresses.ts';
import { postWebhook, type ResolveName, WebhookFailure } from '../../../src/services/webhooks/post.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';
import { startReceiver } from '../../support/servers/webhook-receiver.ts';

const locally = toBlockList(['127.0.0.0/8']);
const loopback = { address: '127.0.0.1', family: 4 };

function post(url: string, resolve: ResolveName, options: { signal?: AbortSignal; timeoutMs?: number } = {}) {
  const { signal = new AbortController().signal, ...rest } = options;
  const headers = { 'content-type': 'application/json' };
  return postWebhook(new URL(url), headers, '{"ü":1}', { allowed: locally, signal, resolve, ...rest });
}
const failure = (message: string) => (error: unknown) => {
  assert.ok(error instanceof WebhookFailure, String(error));
  assert.equal(error.message, message);
  return true;
};

test('posts to the addresses that were checked, with the name as the host', async (t) => {
  const receiver = await startReceiver(t, (response) => response.writeHead(202).end('x'.repeat(9000)));
  const names: string[] = [];
  const resolve: ResolveName = async (name) => {
    names.push(name);
    return [loopback];
  };
  assert.equal(await post(`http://hook.example:${receiver.port}/a?b=1`, resolve), 202);
  const [{ path, headers, body }] = receiver.received as [(typeof receiver.received)[0]];
  assert.deepEqual([path, body, names], ['/a?b=1', '{"ü":1}', ['hook.example']]);
  assert.equal(headers.host, `hook.example:${receiver.port}`);
  assert.equal(headers['content-length'], '8');
  assert.equal(headers['content-type'], 'application/json');
});

test('a literal address needs no name server, because its origin is listed', async (t) => {
  const receiver = await startReceiver(t);
  const url = new URL(receiver.origin);
  const options = { allowed: new BlockList(), signal: new AbortController().signal };
  assert.equal(await postWebhook(url, {}, '', { ...options, resolve: () => assert.fail() }), 204);
});

test('a name is refused if one of its addresses is not allowed, or if it has none', async (t) => {
  const receiver = await startReceiver(t);
  const url = `http://hook.example:${receiver.port}`;
  await assert.rejects(
    post(url, async () => [loopback, { address: '10.0.0.1', family: 4 }]),
    failure('hook.example resolves to an address that is not public and not in WEBHOOK_PRIVATE_RANGES.'),
  );
  await assert.rejects(
    post(url, async () => []),
    failure('hook.example has no address.'),
  );
  assert.equal(receiver.received.length, 0);
});

test('a failure shows the code of the connection, and neither addresses nor other messages', async (t) => {
  const receiver = await startReceiver(t, (response) => void response.destroy());
  const url = `http://hook.example:${receiver.port}`;
  await assert.rejects(
    post(url, async () => [loopback]),
    failure('The request failed: ECONNRESET.'),
  );
  await assert.rejects(
    post(url, async () => Promise.reject(new Error('10.0.0.53 does not answer'))),
    failure('The request failed.'),
  );
});

test('a name server or a receiver that does not answer is given up', async (t) => {
  const silent = await startReceiver(t, () => {});
  const resolves: ResolveName[] = [() => new Promise(() => {}), async () => [loopback]];
  for (const resolve of resolves) {
    await assert.rejects(
      post(`http://hook.example:${silent.port}`, resolve, { timeoutMs: 20 }),
      failure('No response within 0.02 s.'),
    );
  }
});

test('an attempt that is broken off is not a failure of the receiver', async () => {
  const reason = new Error('The service stops.');
  const controller = new AbortController();
  const waiting = post('http://hook.example', () => new Promise(() => {}), { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(
    post('http://hook.example', () => assert.fail(), { signal: AbortSignal.abort(reason) }),
    reason,
  );
});

test('the status of a response decides, although its body breaks off', async (t) => {
  const receiver = await startReceiver(t, (response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half', () => response.destroy());
  });
  assert.equal(await post(`http://hook.example:${receiver.port}`, async () => [loopback]), 200);
});

test('an attempt takes 15 seconds at most', async (t) => {
  const limits: number[] = [];
  t.mock.method(AbortSignal, 'timeout', (limit: number) => {
    limits.push(limit);
    return AbortSignal.abort();
  });
  await assert.rejects(
    post('http://hook.example', () => assert.fail()),
    failure('No response within 15 s.'),
  );
  assert.deepEqual(limits, [15_000]);
});

test('a connection that asks for one address gets the first one that was checked', async (t) => {
  const asked: RequestOptions[] = [];
  t.mock.method(http, 'request', (_url: URL, options: RequestOptions) => {
    asked.push(options);
    const sent = new EventEmitter();
    return Object.assign(sent, { end: () => sent.emit('close') });
  });
  applyMocks(t);
  const second = { address: '127.0.0.2', family: 4 };
  await assert.rejects(
    post('http://hook.example', async () => [loopback, second]),
    failure('The connection was closed without a response.'),
  );
  const answers: unknown[][] = [];
  for (const all of [false, true]) asked[0]!.lookup!('x', { all }, (...answer) => answers.push(answer));
  assert.deepEqual(answers, [
    [null, '127.0.0.1', 4],
    [null, [loopback, second]],
  ]);
});
