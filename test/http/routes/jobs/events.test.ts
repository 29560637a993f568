import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { JobEvent } from '../../../../src/domain/jobs/training.ts';
import type { Publication } from '../../../../src/domain/training/publication.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  isUnderway,
  queueJob,
  startService,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';
import { idsOf, openStream, upTo } from '../../read-events.ts';

const { app } = await startService({ after });
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;
const eventsOf = (id: string) => `http://127.0.0.1:${port}/v1/training-jobs/${id}/events`;
const accept = 'text/event-stream';

/** A job with about twenty events. */
const eventful = tiny({ training: { epochs: 16, batchSize: 256, validation: { fraction: 0.8 } } });

async function listed(id: string): Promise<JobEvent[]> {
  return (await app.inject(`/v1/training-jobs/${id}/events`)).json().data;
}

test('a stream sends all events to the end of the job, equal to the list, and closes', async () => {
  const { id } = await queueJob(app, eventful);
  const { status, headers, events } = await openStream(eventsOf(id), { 'x-request-id': 'watching' });
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-accel-buffering'], 'no');
  assert.equal(headers['x-request-id'], 'watching');
  assert.match(String(headers.vary), /\bAccept\b/);
  assert.equal(headers.etag, undefined);
  const seen = await Array.fromAsync(events());
  assert.deepEqual(seen, await listed(id));
  const { publication, ...change } = seen.at(-1)!.data;
  assert.deepEqual([change, (publication as Publication).version], [{ from: 'running', to: 'succeeded' }, 1]);
  assert.equal(seen.filter(({ type }) => type === 'epoch').length, 16);
});

test('a client that reconnects after every few events gets each event once', async () => {
  const { id } = await queueJob(app, eventful);
  const seen: number[] = [];
  for (let visits = 1; ; visits++) {
    // The header takes precedence over the query, which a reconnecting client does not change.
    const headers = seen.length > 0 ? { 'last-event-id': String(seen.at(-1)) } : undefined;
    const stream = await openStream(`${eventsOf(id)}?after=0`, headers);
    if (stream.status === 204) {
      assert.ok(visits > 5);
      break;
    }
    let told = 0;
    for await (const event of stream.events()) {
      seen.push(event.id);
      told += 1;
      // Ends the connection, and drops the events that have arrived with this one.
      if (told === 1 + (visits % 3)) break;
    }
  }
  assert.deepEqual(seen, upTo((await listed(id)).length));
});

test('a client that has seen the end of a job gets 204, by header and by query', async () => {
  const { id } = await train(app);
  const last = (await listed(id)).length;
  const byHeader = await openStream(`${eventsOf(id)}?after=1`, { 'last-event-id': String(last) });
  const byQuery = await openStream(`${eventsOf(id)}?after=${last}`);
  assert.deepEqual([byHeader.status, byQuery.status], [204, 204]);
  assert.deepEqual(await idsOf((await openStream(`${eventsOf(id)}?after=${last - 1}`)).events()), [last]);
  const list = await app.inject({ url: `/v1/training-jobs/${id}/events`, query: { after: String(last) } });
  assert.deepEqual([list.statusCode, list.json().data], [200, []]);
});

test('rejects an invalid stream request by name before it begins', async () => {
  const { id } = await train(app);
  const url = `/v1/training-jobs/${id}/events`;
  const get = (headers: Record<string, string>, path = url) => app.inject({ url: path, headers });
  assertProblem(await get({ accept }, '/v1/training-jobs/job_0/events'), 404, 'training-job-not-found');
  assertProblem(await get({ accept: 'text/html' }), 406, 'not-acceptable');
  for (const lastId of ['two', '-1', '1.5', '1e400', '1e0', '01', '0x1']) {
    const refused = await get({ accept, 'last-event-id': lastId });
    assertProblem(refused, 400, 'invalid-request', 'last-event-id');
  }
  const fromStart = await get({ accept, 'last-event-id': '' });
  assert.deepEqual([fromStart.statusCode, fromStart.body], [200, (await get({ accept })).body]);
  const beyond = await get({ accept, 'last-event-id': '1000' });
  assertProblem(beyond, 422, 'impossible-request', 'Last-Event-ID');
  assertProblem(await get({ accept }, `${url}?after=1000`), 422, 'impossible-request', 'after');
});

test('without Accept for a stream the response is a list with an ETag, and a stream ignores If-None-Match', async () => {
  const { id } = await train(app);
  const url = `/v1/training-jobs/${id}/events`;
  for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
    const list = await app.inject({ url, headers });
    assert.match(String(list.headers['content-type']), /^application\/json/);
    assert.ok(list.headers.etag);
    const again = await app.inject({ url, headers: { ...headers, 'if-none-match': list.headers.etag } });
    assert.equal(again.statusCode, 304);
  }
  const stream = await openStream(eventsOf(id), { 'if-none-match': '*' });
  assert.equal(stream.status, 200);
  assert.deepEqual(await idsOf(stream.events()), upTo((await listed(id)).length));
});

test('HEAD responds with the headers only', async () => {
  const { id } = await queueJob(app, endless);
  const response = await fetch(eventsOf(id), { method: 'HEAD', headers: { accept } });
  assert.deepEqual([response.status, await response.text()], [200, '']);
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  await cancelJob(app, id);
});

test('on shutdown streams end, clients of new streams are made to reconnect, and the service closes', async (t) => {
  const { app: other, close } = await startService(t);
  const address = await other.listen({ port: 0, host: '127.0.0.1' });
  const { id } = await queueJob(other, endless);
  await untilJob(other, id, isUnderway);
  const url = `${address}/v1/training-jobs/${id}/events`;
  const streams = [];
  for (let n = 0; n < 5; n++) streams.push(await openStream(url));
  const told = streams.map(async ({ messages }) => (await Array.fromAsync(messages())).at(-1));
  const closed = close();
  const reconnect = ': The service is shutting down.\nretry: 1000\n';
  const late = await other.inject({ url: `/v1/training-jobs/${id}/events`, headers: { accept } });
  assert.deepEqual([late.statusCode, late.body], [200, reconnect]);
  assert.equal(late.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(late.headers.connection, 'close');
  assertProblem(await other.inject(`/v1/training-jobs/${id}/events`), 503, 'draining');
  assert.deepEqual(await Promise.all(told), new Array(5).fill(reconnect));
  await closed;
});
