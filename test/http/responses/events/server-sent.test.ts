import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { CONNECTION_LIMITS } from '../../../../src/http/hooks/connections/limits.ts';
import { limitConnections } from '../../../../src/http/hooks/connections/slow-clients.ts';
import { streamEvents } from '../../../../src/http/responses/events/server-sent.ts';
import { createEventSubscriptions, type EventPage } from '../../../../src/services/events/subscribe.ts';
import type { Store } from '../../../../src/store/persistent-state.ts';
import { newJob, temporaryStore } from '../../../store/fixtures.ts';
import { idsOf, openStream, upTo } from '../../read-events.ts';

/** A server with a single route: the event stream of one job in a real store. */
async function startStream(
  t: TestContext,
  jobId: string,
  store: Store,
  { stalledMs = CONNECTION_LIMITS.eventStallMs, quietMs }: { stalledMs?: number; quietMs?: number } = {},
) {
  const stopping = new AbortController();
  const follow = createEventSubscriptions(store, quietMs);
  let pagesRead = 0;
  const dropped: Promise<unknown>[] = [];
  async function* counted(pages: AsyncIterable<EventPage>) {
    for await (const page of pages) {
      pagesRead += 1;
      yield page;
    }
  }
  const app = Fastify({ forceCloseConnections: 'idle' });
  const limits = { ...CONNECTION_LIMITS, eventStallMs: stalledMs, measureMs: 20 };
  limitConnections(
    app,
    limits,
    () => {},
    () => {},
  );
  app.get('/', async (request, reply) => {
    const after = Number(request.headers['last-event-id'] ?? 0);
    const pages = await follow(jobId, { after, parameter: 'Last-Event-ID' });
    dropped.push(once(reply.raw, 'close'));
    const read = (signal: AbortSignal) => counted(pages!(signal));
    const endings = { stopping: stopping.signal, revoked: null };
    return reply.send(streamEvents(reply, read, endings));
  });
  t.after(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return { app, stopping, dropped, url: `http://127.0.0.1:${port}/`, pagesRead: () => pagesRead };
}

/** A job whose events exceed all socket buffers. */
async function jobWithLargeEvents(store: Store): Promise<[jobId: string, events: number]> {
  const jobId = await newJob(store);
  const text = 'x'.repeat(100_000);
  for (let n = 0; n < 250; n++) await store.events.append(jobId, 'warning', { text });
  await store.jobs.requestCancel(jobId);
  return [jobId, 252];
}

test('closes a stream that is not read without buffering much, and resumes it by Last-Event-ID', async (t) => {
  const store = await temporaryStore(t);
  const [jobId, events] = await jobWithLargeEvents(store);
  const { url, dropped, pagesRead } = await startStream(t, jobId, store, { stalledMs: 200 });
  const slow = await openStream(url);
  await dropped[0];
  assert.ok(pagesRead() <= 2, `${pagesRead()} pages of 100 events`);
  const seen = await idsOf(slow.events());
  assert.ok(seen.length < events);
  const last = seen.at(-1) ?? 0;
  // Whether a reader is slow depends on the machine: this one has the usual limit.
  const usual = await startStream(t, jobId, store);
  const rest = await idsOf((await openStream(usual.url, { 'last-event-id': String(last) })).events());
  assert.deepEqual([...seen, ...rest], upTo(events));
});

test('comments keep a quiet stream open, from the start', async (t) => {
  const store = await temporaryStore(t);
  const jobId = await newJob(store);
  const { url } = await startStream(t, jobId, store, { quietMs: 5 });
  const { response, close } = await openStream(url);
  let text = '';
  for await (const part of response.setEncoding('utf8')) {
    text += part;
    if (/\n\n(?::\n){3}$/.test(text)) break;
  }
  assert.match(text, /^retry: 2000\nid: 1\nevent: status\ndata: \{"id":1,.*"to":"queued"\}\}\n\n(:\n)+$/);
  close();
});

test('on shutdown, streams end with a short retry delay, even if they are not read', async (t) => {
  const store = await temporaryStore(t);
  const [jobId] = await jobWithLargeEvents(store);
  const quietId = await newJob(store);
  const { app, url, stopping } = await startStream(t, quietId, store);
  const other = await startStream(t, jobId, store, { stalledMs: 3_600_000 });
  const stream = await openStream(url);
  const stuck = await openStream(other.url);
  const messages = stream.messages();
  await messages.next();
  // Reads until the socket buffers are full and further writes wait.
  while (other.pagesRead() === 0) await once(stuck.response, 'readable');
  stopping.abort();
  other.stopping.abort();
  assert.deepEqual(await Array.fromAsync(messages), [': The service is shutting down.\nretry: 1000\n']);
  await Promise.all([app.close(), other.app.close()]);
  stuck.close();
});

test('disconnected readers leave no resources behind', async (t) => {
  const store = await temporaryStore(t);
  const { url, dropped, stopping } = await startStream(t, await newJob(store), store);
  for (let n = 0; n < 5; n++) {
    const stream = await openStream(url);
    assert.equal(getEventListeners(stopping.signal, 'abort').length, 1);
    stream.close();
    await dropped[n];
    assert.equal(getEventListeners(stopping.signal, 'abort').length, 0);
  }
});
