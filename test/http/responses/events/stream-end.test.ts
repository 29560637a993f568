import assert from 'node:assert/strict';
import { EventEmitter, getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { FastifyReply } from 'fastify';
import { streamEvents } from '../../../../src/http/responses/events/server-sent.ts';

type Page = readonly { readonly id: number; readonly type: string }[];

/** A stream of pages that ends when its signal aborts, to a client that has not read `writableLength` bytes. */
function open(pages: readonly Page[], { writableLength = 0, closed = false, isStopping = false } = {}) {
  const stopping = new AbortController();
  const revoked = new AbortController();
  if (isStopping) stopping.abort();
  const state = { isDestroyed: false, headers: {} };
  const raw = Object.assign(new EventEmitter(), {
    writableLength,
    closed,
    destroy() {
      state.isDestroyed = true;
    },
  });
  const reply = { raw, headers: (headers: object) => Object.assign(state.headers, headers) };
  async function* read(signal: AbortSignal): AsyncGenerator<Page> {
    yield* pages;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
  const stream = streamEvents(reply as unknown as FastifyReply, read, {
    stopping: stopping.signal,
    revoked: revoked.signal,
  });
  return { stopping, revoked, raw, state, stream };
}

async function readAll({ stream }: ReturnType<typeof open>): Promise<string[]> {
  return (await Array.fromAsync(stream)).map(String);
}

test('a stream has headers, messages and comments, and ends with the key of its client', async () => {
  const opened = open([
    [
      { id: 1, type: 'status' },
      { id: 2, type: 'epoch' },
    ],
    [],
  ]);
  const reading = readAll(opened);
  await new Promise(setImmediate);
  opened.revoked.abort();
  assert.deepEqual(await reading, [
    'retry: 2000\n',
    'id: 1\nevent: status\ndata: {"id":1,"type":"status"}\n\nid: 2\nevent: epoch\ndata: {"id":2,"type":"epoch"}\n\n',
    ':\n',
    ': The API key is no longer valid.\n',
  ]);
  assert.deepEqual(opened.state, {
    isDestroyed: false,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
  });
});

test('a large page is sent in chunks of 64 KiB', async () => {
  const opened = open([[{ id: 1, type: 'x'.repeat(65_536) }]], { isStopping: true });
  const [, ...chunks] = await readAll(opened);
  // The name is in the message twice.
  const head = 'id: 1\nevent: \ndata: {"id":1,"type":""}\n\n'.length;
  assert.deepEqual(
    chunks.slice(0, -1).map((chunk) => chunk.length),
    [65_536, 65_536, head],
  );
});

test('a client that has not read what was sent is disconnected at shutdown', () => {
  for (const [writableLength, isDestroyed] of [
    [0, false],
    [1, true],
  ] as const) {
    const { stopping, state } = open([], { writableLength });
    stopping.abort();
    assert.equal(state.isDestroyed, isDestroyed);
  }
});

test('a stream that begins after its end ends at once', { timeout: 10_000 }, async () => {
  assert.deepEqual(await readAll(open([], { closed: true })), ['retry: 2000\n']);
  assert.deepEqual(await readAll(open([], { isStopping: true })), [
    'retry: 2000\n',
    ': The service is shutting down.\nretry: 1000\n',
  ]);
});

test('a connection that closes leaves no listeners', () => {
  const { raw, stopping, revoked } = open([]);
  const count = () => [stopping, revoked].map(({ signal }) => getEventListeners(signal, 'abort').length);
  assert.deepEqual(count(), [1, 1]);
  raw.emit('close');
  assert.deepEqual(count(), [0, 0]);
});
