import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../../cli/client.ts';
import { ConnectionError, ResponseError } from '../../../cli/errors.ts';
import { followEvents, readMessages } from '../../../cli/follow/event-stream.ts';

const encode = (text: string) => new TextEncoder().encode(text);

async function* chunks(...texts: string[]) {
  for (const text of texts) yield encode(text);
}

test('splits a stream into messages, wherever its parts end', async () => {
  const stream = encode(
    'id: 1\ndata: {"a":1}\n\n: comment\n\nid:2\nevent: x\ndata: é: ü\n\nid: 3\ndata: cut',
  );
  for (const size of [1, 7, stream.length]) {
    const parts = Array.from({ length: Math.ceil(stream.length / size) }, (_, n) =>
      stream.subarray(n * size, (n + 1) * size),
    );
    const messages: object[] = [];
    for await (const message of readMessages(ReadableStream.from<Uint8Array>(parts))) {
      if ('data' in message) messages.push(message);
    }
    assert.deepEqual(messages, [
      { id: '1', data: '{"a":1}' },
      { id: '2', event: 'x', data: 'é: ü' },
    ]);
  }
});

test('an incomplete message at the end counts for nothing but its time to reconnect', async () => {
  const messages: object[] = [];
  for await (const message of readMessages(chunks('id: 1\ndata: a\n\n', 'retry: 3000\nid: 2'))) {
    messages.push(message);
  }
  assert.deepEqual(messages, [{ id: '1', data: 'a' }, {}, { retry: '3000' }]);
});

type Part = string | Error;

/** A client whose connections send these parts, one list a connection. */
function clientOf(...connections: readonly (readonly Part[])[]) {
  const requests: unknown[] = [];
  const attempt = async (path: string, { headers }: { headers: Record<string, string> }) => {
    const parts = connections[requests.length]!;
    requests.push([path, headers['last-event-id']]);
    if (parts[0] instanceof Error) throw parts[0];
    if (parts.length === 0) return { status: 204 };
    async function* body() {
      for (const part of parts) {
        if (part instanceof Error) throw part;
        yield encode(part);
      }
    }
    return { status: 200, body: body() };
  };
  return { requests, client: { attempt } as unknown as Client };
}

const eventOf = (id: number, type: string, data: object) =>
  `id: ${id}\ndata: ${JSON.stringify({ id, type, data })}\n\n`;

async function follow(client: Client, signal = new AbortController().signal) {
  const ids: number[] = [];
  let lost = 0;
  const events = followEvents(client, '/v1/training-jobs/job_1', signal, () => lost++);
  for await (const { id } of events) ids.push(id);
  return { ids, lost };
}

test('continues after the last event of a lost connection, until the job has ended', async () => {
  const { client, requests } = clientOf(
    [`retry: 1\n\n${eventOf(1, 'status', { to: 'running' })}`, new TypeError('terminated')],
    [new ConnectionError('refused')],
    [eventOf(2, 'progress', { to: 'failed' }), eventOf(3, 'status', { to: 'paused' })],
    [eventOf(4, 'status', { to: 'cancelled' }), eventOf(5, 'status', { to: 'running' })],
  );
  assert.deepEqual(await follow(client), { ids: [1, 2, 3, 4], lost: 3 });
  assert.deepEqual(
    requests,
    ['0', '1', '1', '3'].map((lastId) => ['/v1/training-jobs/job_1/events', lastId]),
  );
});

test('ends without events to come, and with an error that a repeat does not change', async () => {
  assert.deepEqual(await follow(clientOf([]).client), { ids: [], lost: 0 });
  for (const error of [new ResponseError(410, null, null), new SyntaxError('a defect')]) {
    await assert.rejects(follow(clientOf([error]).client), error);
  }
  const interruption = AbortSignal.abort(new Error('interrupted'));
  await assert.rejects(follow(clientOf([new TypeError('lost')]).client, interruption), /interrupted/);
});

test('a connection that is silent for a minute is lost, and an ended one is not watched any longer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const signals: AbortSignal[] = [];
  const silent = Promise.withResolvers<void>();
  const attempt = async (_path: string, { signal }: { signal: AbortSignal }) => {
    signals.push(signal);
    if (signals.length === 2) return { status: 204 };
    async function* body() {
      yield encode('retry: 1\n\n');
      const aborted = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => aborted.reject(signal.reason));
      silent.resolve();
      yield await aborted.promise;
    }
    return { status: 200, body: body() };
  };
  const following = follow({ attempt } as unknown as Client);
  await silent.promise;
  t.mock.timers.tick(59_999);
  assert.equal(signals[0]!.aborted, false);
  t.mock.timers.tick(1);
  assert.deepEqual(await following, { ids: [], lost: 1 });
  t.mock.timers.tick(60_000);
  assert.equal(signals[1]!.aborted, false);
});

test('gives up after five minutes without a connection, since the last message', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const lost = new ConnectionError('It is refused.');
  const { client, requests } = clientOf(['retry: 1\n\n', new TypeError('cut')], [lost], [lost]);
  const late = {
    async attempt(...args: Parameters<Client['attempt']>) {
      now += 300_000;
      return client.attempt(...args);
    },
  };
  await assert.rejects(follow(late as Client), {
    constructor: ConnectionError,
    message: 'No connection for five minutes. It is refused.',
  });
  assert.equal(requests.length, 3, 'exactly five minutes are not too long');
});
