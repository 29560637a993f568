import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { readExamples } from '../../../src/http/openapi/examples.ts';
import { eventRoutes, JOB_EVENTS, SEARCH_EVENTS } from '../../../src/http/routes/events.ts';
import { serveRoutes } from './bare-app.ts';

const { data: EVENTS } = (await readExamples())['JobEventList'] as { data: { id: number; type: string }[] };
const STREAM = { accept: 'text/event-stream' };

/** Events of the job `a`. The job `ended` has no further ones, and the database of `away` does not answer. */
async function serve() {
  const cursors: unknown[] = [];
  let streams = 0;
  const services = {
    training: {
      async events(...args: unknown[]) {
        cursors.push(args);
        return { data: EVENTS, hasMore: false };
      },
    },
    async subscribeEvents(id: string, cursor: object) {
      cursors.push(cursor);
      if (id === 'away') throw new AtelierError('storage-unavailable', 'The database does not answer.');
      if (id === 'none') throw new AtelierError('training-job-not-found', 'There is no such job.');
      if (id === 'ended') return undefined;
      return async function* () {
        yield EVENTS.slice(0, 1);
      };
    },
    health: { stopping: new AbortController().signal },
    countStream: () => streams++,
  };
  const app = await serveRoutes(eventRoutes(JOB_EVENTS), services);
  const get = (id: string, headers = {}, query = '') =>
    app.inject({ url: `/v1/training-jobs/${id}/events${query}`, headers });
  return { get, cursors, streams: () => streams };
}

test('events are a list, or a stream that counts as one', async () => {
  const { get, cursors, streams } = await serve();
  const list = await get('a', {}, '?after=3&limit=7');
  const [firstId, lastId] = [EVENTS[0]!.id, EVENTS.at(-1)!.id].map(String);
  assert.deepEqual(list.json(), { data: EVENTS, firstId, lastId, hasMore: false });
  assert.deepEqual([cursors, streams()], [[['a', { after: 3, limit: 7 }]], 0]);
  const stream = await get('a', STREAM);
  assert.equal(stream.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.match(stream.body, new RegExp(`^retry: 2000\nid: ${EVENTS[0]!.id}\nevent: ${EVENTS[0]!.type}\n`));
  assert.equal(streams(), 1);
});

test('Last-Event-ID takes precedence over `after`, and an empty one is none', async () => {
  const { get, cursors } = await serve();
  await get('a', STREAM);
  await get('a', STREAM, '?after=3');
  await get('a', { ...STREAM, 'last-event-id': '5' }, '?after=3');
  await get('a', { ...STREAM, 'last-event-id': '' }, '?after=3');
  assert.deepEqual(cursors, [
    { after: 0, parameter: 'after' },
    { after: 3, parameter: 'after' },
    { after: 5, parameter: 'Last-Event-ID' },
    { after: 3, parameter: 'after' },
  ]);
});

test('a stream without further events has no content, and one without its database asks to reconnect', async () => {
  const { get, streams } = await serve();
  const ended = await get('ended', STREAM);
  assert.deepEqual([ended.statusCode, ended.body], [204, '']);
  const away = await get('away', STREAM);
  assert.deepEqual(
    [away.statusCode, away.body, away.headers.connection],
    [200, ': The database does not answer.\nretry: 1000\n', 'close'],
  );
  assert.equal((await get('none', STREAM)).json().code, 'training-job-not-found');
  assert.equal(streams(), 0);
});

test('a list has at most 1,000 events, and a search has a list of its own', async () => {
  const { get, cursors } = await serve();
  await get('a');
  assert.deepEqual(cursors, [['a', { limit: 1000 }]]);
  assert.equal((await get('a', {}, '?limit=1001')).statusCode, 400);
  const { list } = SEARCH_EVENTS;
  const searches = { events: (...args: unknown[]) => args };
  assert.deepEqual(list({ searches } as unknown as Parameters<typeof list>[0], 'sea_1', { limit: 2 }), [
    'sea_1',
    { limit: 2 },
  ]);
});
