import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Search } from '../../../../src/domain/searches/representation.ts';
import { contentTag } from '../../../../src/http/conditional/etag.ts';
import { readExamples } from '../../../../src/http/openapi/examples.ts';
import { searchRoutes } from '../../../../src/http/routes/searches/collection.ts';
import { serveRoutes, TRAIN_KEY } from '../bare-app.ts';

const examples = await readExamples();
const SEARCH = examples['Search'] as Search;
const REQUEST = examples['SearchRequest'] as object;
const { data: TRIALS } = examples['Leaderboard'] as { data: object[] };
const URL = `/v1/searches/${SEARCH.id}`;

/** What the routes have asked of the service. */
const asked: unknown[][] = [];
const note =
  <T>(what: string, result: T) =>
  async (...args: unknown[]) => {
    asked.push([what, ...args]);
    return result;
  };
const checked =
  (what: string) =>
  async (id: string, ...rest: unknown[]) => {
    const precondition = rest.pop() as ((stored: Search) => void) | undefined;
    precondition?.(SEARCH);
    asked.push([what, id, ...rest]);
    return SEARCH;
  };
const searches = {
  start: note('start', SEARCH),
  preview: note('preview', examples['SearchPreview']),
  list: note('list', { data: [SEARCH], hasMore: true }),
  get: note('get', SEARCH),
  leaderboard: note('leaderboard', TRIALS),
  change: checked('change'),
  remove: checked('remove'),
};
const app = await serveRoutes(searchRoutes, { searches });
const send = (method: 'DELETE' | 'GET' | 'POST', url: string, payload?: object, headers = {}) => {
  asked.length = 0;
  return app.inject({ method, url, headers, ...(payload && { payload }) });
};

test('a search is started at its path, with the trace of the request', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { statusCode, headers, body } = await send('POST', '/v1/searches', REQUEST, { traceparent });
  assert.deepEqual([statusCode, headers.location], [202, URL]);
  assert.deepEqual(JSON.parse(body), SEARCH);
  assert.deepEqual([asked[0]![0], asked[0]![3]], ['start', traceparent]);
  assert.deepEqual((await send('POST', '/v1/searches/preview', REQUEST)).json(), examples['SearchPreview']);
});

test('a search that promotes its winner needs a key that may promote', async () => {
  const limited = await serveRoutes(searchRoutes, { searches }, TRAIN_KEY);
  for (const url of ['/v1/searches', '/v1/searches/preview']) {
    const post = (promote: string) =>
      limited.inject({
        method: 'POST',
        url,
        payload: { ...REQUEST, final: { publish: { promote } } },
      });
    const { statusCode, headers } = await post('always');
    assert.equal(statusCode, 403, url);
    assert.match(String(headers['www-authenticate']), /error="insufficient_scope", scope="promote"/);
    assert.ok((await post('never')).statusCode < 300, url);
  }
});

test('a list has the ids of its ends, and checks its cursor', async () => {
  const { id } = SEARCH;
  const list = (await send('GET', `/v1/searches?limit=1&status=running&after=${id}`)).json();
  assert.deepEqual(list, { data: [SEARCH], firstId: id, lastId: id, hasMore: true });
  assert.deepEqual(asked, [['list', { limit: 1, status: 'running', after: id }]]);
  assert.equal((await send('GET', '/v1/searches?after=job_1')).statusCode, 400);
});

test('a search has a tag, and is changed or deleted in the state that the client has read', async () => {
  const { headers, body } = await send('GET', URL);
  const etag = contentTag(JSON.stringify(SEARCH));
  assert.deepEqual([headers.etag, JSON.parse(body)], [etag, SEARCH]);
  for (const change of ['pause', 'resume', 'cancel', 'finish']) {
    assert.equal((await send('POST', `${URL}/${change}`, {}, { 'if-match': etag })).statusCode, 202);
    assert.deepEqual(asked, [['change', SEARCH.id, change]]);
  }
  const deleted = await send('DELETE', URL, undefined, { 'if-match': etag });
  assert.deepEqual([deleted.statusCode, deleted.body, asked], [204, '', [['remove', SEARCH.id]]]);
  for (const [method, url] of [
    ['POST', `${URL}/pause`],
    ['DELETE', URL],
  ] as const) {
    const failed = await send(method, url, undefined, { 'if-match': '"other"' });
    assert.equal(failed.statusCode, 412);
    assert.match(failed.json().detail, new RegExp(`the search ${SEARCH.id} has changed; its ETag is `));
  }
});

test('a leaderboard is JSON, or a table with a column per path that varies', async () => {
  assert.deepEqual((await send('GET', `${URL}/trials`)).json(), { data: TRIALS });
  const { headers, body } = await send('GET', `${URL}/trials`, undefined, { accept: 'text/csv' });
  assert.equal(headers['content-type'], 'text/csv; charset=utf-8');
  const paths = SEARCH.vary.map(({ path }) => path).join();
  assert.match(body, new RegExp(`^rank,trial,status,${paths},value,`));
  assert.equal(body.trim().split('\r\n').length, TRIALS.length + 1);
});
