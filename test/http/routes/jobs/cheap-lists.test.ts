/** Lists and metrics are rendered once, and a matching If-None-Match reads nothing. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { EpochRecord } from '../../../../src/domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { createEpochsRenderer, EPOCH_FORMATS } from '../../../../src/http/responses/epoch-records.ts';
import { createJobListRenderer } from '../../../../src/http/responses/job-list.ts';
import { cancelJob, endless, queueJob, startService, tiny, train } from '../../../support/start-service.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '1' });

async function get(url: string, etag?: string) {
  const response = await app.inject({ url, headers: etag ? { 'if-none-match': etag } : {} });
  return { ...response, etag: String(response.headers.etag) };
}

test('lists give 304 until their content changes', async () => {
  await train(app, tiny({ modelName: 'listed' }));
  const urls = ['/v1/training-jobs', '/v1/models', '/v1/models/listed/versions', '/v1/models/listed/aliases'];
  const [jobs, models, versions, aliases] = urls as [string, string, string, string];
  const tags = new Map<string, string>();
  for (const url of urls) tags.set(url, (await get(url)).etag);
  const changed = async () => {
    const responses = await Promise.all(urls.map((url) => get(url, tags.get(url))));
    const fresh = responses.flatMap((response, n) => (response.statusCode === 200 ? [urls[n]!] : []));
    for (const [n, url] of urls.entries()) tags.set(url, responses[n]!.etag);
    return fresh;
  };
  assert.deepEqual(await changed(), []);
  const payload = { description: 'changed' };
  const version = '/v1/models/listed/versions/1';
  assert.equal((await app.inject({ method: 'PATCH', url: version, payload })).statusCode, 200);
  assert.deepEqual(await changed(), [models, versions]);
  assert.equal((await get(models)).json().data[0].latest.description, 'changed');
  const alias = `${aliases}/stable`;
  assert.equal((await app.inject({ method: 'PUT', url: alias, payload: { version: 1 } })).statusCode, 201);
  assert.deepEqual(await changed(), [models, versions, aliases]);
  assert.deepEqual((await get(versions)).json().data[0].aliases, ['champion', 'stable']);
  const { id } = await queueJob(app, endless);
  assert.ok((await changed()).includes(jobs));
  await cancelJob(app, id);
  assert.ok((await changed()).includes(jobs));
});

test('only jobs with a new revision are read', async () => {
  const read: string[] = [];
  const render = createJobListRenderer({
    async getMany(ids) {
      read.push(...ids);
      return ids.filter((id) => id !== 'damaged').map((id) => ({ id }) as TrainingJob);
    },
  });
  const row = (id: string, revision = '1') => ({ id, revision });
  const list = async (...data: ReturnType<typeof row>[]) =>
    JSON.parse(String(await render({ data, hasMore: true })));
  assert.deepEqual(await list(row('b'), row('a')), {
    data: [{ id: 'b' }, { id: 'a' }],
    firstId: 'b',
    lastId: 'a',
    hasMore: true,
  });
  await list(row('c'), row('b', '2'), row('a'));
  assert.deepEqual(read, ['b', 'a', 'c', 'b']);
  assert.deepEqual((await list(row('damaged'))).data, []);
  assert.deepEqual(await list(), { data: [], firstId: null, lastId: null, hasMore: true });
});

test('only new epochs are read, and appended to the text', async () => {
  const asked: (number | undefined)[] = [];
  const records: EpochRecord[] = [];
  const render = createEpochsRenderer({
    async metrics(_id, after = 0) {
      asked.push(after);
      return records.filter(({ epoch }) => epoch > after);
    },
  });
  const json = async () =>
    JSON.parse(String((await render('job', EPOCH_FORMATS['application/json'])).bytes)).data;
  assert.deepEqual(await json(), []);
  for (const epoch of [1, 2, 3]) {
    records.push({ epoch, deadUnits: [epoch, 0] } as unknown as EpochRecord);
    assert.deepEqual(await json(), records);
    const csv = String((await render('job', EPOCH_FORMATS['text/csv'])).bytes);
    assert.deepEqual(
      csv.split('\r\n').map((line) => line.split(',')[0]),
      ['epoch', ...records.map((each) => `${each.epoch}`), ''],
    );
  }
  assert.deepEqual(asked, [0, 0, 0, 1, 1, 2, 2]);
});
