import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type TrainingJob, trainingJobSchema } from '../../../../src/domain/jobs/training.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  hasEnded,
  queueJob,
  startService,
  tiny,
  untilJob,
} from '../../../support/start-service.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '1' });
// No other job of these tests has a higher priority, so it keeps the slot.
const running = await queueJob(app, { ...endless, priority: 1 });
const queued: string[] = [];
for (let seed = 0; seed < 5; seed++) queued.push((await queueJob(app, tiny({ seed }))).id);
const newestFirst = queued.toReversed();
const idsOf = (list: { data: TrainingJob[] }) => list.data.map((job) => job.id);

test('jobs are listed newest first, in the same representation', async () => {
  const list = (await app.inject('/v1/training-jobs')).json();
  assert.deepEqual(idsOf(list), [...newestFirst, running.id]);
  assert.deepEqual([list.firstId, list.lastId, list.hasMore], [newestFirst[0], running.id, false]);
  for (const job of list.data) assert.deepEqual(trainingJobSchema.strict().parse(job), job);
  assert.deepEqual((await app.inject(`/v1/training-jobs/${queued[0]}`)).json(), list.data[4]);
});

test('pages have no gaps while jobs are added', async () => {
  const seen: string[] = [];
  let url = '/v1/training-jobs?limit=2&status=queued';
  for (;;) {
    const page = (await app.inject(url)).json();
    seen.push(...idsOf(page));
    if (!page.hasMore) break;
    assert.equal(page.data.length, 2);
    assert.equal(page.lastId, page.data[1].id);
    if (seen.length === 2) await queueJob(app);
    url = `/v1/training-jobs?limit=2&status=queued&after=${page.lastId}`;
  }
  assert.deepEqual(seen, newestFirst);
});

test('a cursor need not be the id of a job', async () => {
  const { data, hasMore } = (
    await app.inject('/v1/training-jobs?after=job_00000000000000000000000000')
  ).json();
  assert.deepEqual([data, hasMore], [[], false]);
});

test('a request without keepCheckpoints is resolved to the setting of the service', async () => {
  const { training } = (await app.inject(`/v1/training-jobs/${queued[0]}`)).json();
  assert.equal(training.keepCheckpoints, 'best');
  const { id } = await queueJob(app, tiny({ training: { ...tiny().training, keepCheckpoints: 'none' } }));
  const job = await cancelJob(app, id);
  assert.equal(job.training.keepCheckpoints, 'none');
});

test('filters by status', async () => {
  await untilJob(app, running.id, (job) => job.status === 'running');
  assert.deepEqual(idsOf((await app.inject('/v1/training-jobs?status=running')).json()), [running.id]);
  assert.deepEqual((await app.inject('/v1/training-jobs?status=failed')).json().data, []);
});

test('rejects an invalid query by name, with the allowed values', async () => {
  const cases = {
    'limit=0': 'limit',
    'limit=101': 'limit',
    'limit=two': 'limit',
    'limit=1e1': 'limit',
    'limit=02': 'limit',
    'limit=': 'limit',
    'limit=1&limit=2': 'limit',
    'status=done': 'status',
    'after=': 'after',
    'after=job_0': 'after',
    'after=nobody': 'after',
    'page=2': 'page',
    '__proto__=1': '__proto__',
  };
  for (const [query, parameter] of Object.entries(cases)) {
    assertProblem(await app.inject(`/v1/training-jobs?${query}`), 400, 'invalid-request', parameter);
  }
  const { detail } = assertProblem(await app.inject('/v1/training-jobs?page=2'), 400, 'invalid-request');
  assert.match(
    detail,
    /page: Unknown parameter `page`\. Allowed: limit, after, status, modelName, dataset, search, metadata, /,
  );
});

test('an unknown job gives 404 on every route', async () => {
  for (const part of ['', '/metrics', '/events']) {
    assertProblem(await app.inject(`/v1/training-jobs/job_0${part}`), 404, 'training-job-not-found');
  }
  const cancel = await app.inject({ method: 'POST', url: '/v1/training-jobs/job_0/cancel' });
  assertProblem(cancel, 404, 'training-job-not-found');
});

test('events continue after the given id', async () => {
  for (const id of [...queued, running.id]) await cancelJob(app, id);
  await untilJob(app, running.id, hasEnded);
  const url = `/v1/training-jobs/${running.id}/events`;
  const whole = (await app.inject(url)).json();
  assert.ok(whole.data.length >= 4);
  assert.deepEqual([whole.firstId, whole.lastId], ['1', String(whole.data.length)]);
  const first = (await app.inject(`${url}?limit=2`)).json();
  assert.deepEqual([first.data, first.hasMore], [whole.data.slice(0, 2), true]);
  const rest = (await app.inject(`${url}?after=${first.lastId}`)).json();
  assert.deepEqual([rest.data, rest.hasMore], [whole.data.slice(2), false]);
  for (const query of ['limit=1001', 'limit=0', 'after=-1', 'after=x']) {
    assertProblem(await app.inject(`${url}?${query}`), 400, 'invalid-request', query.split('=')[0]);
  }
});

test('polled resources give 304 until they change', async () => {
  const url = `/v1/training-jobs/${running.id}`;
  const { etag } = (await app.inject(url)).headers;
  assert.ok(etag);
  const same = await app.inject({ url, headers: { 'if-none-match': etag } });
  assert.deepEqual([same.statusCode, same.body], [304, '']);
  assert.ok(same.headers['x-request-id']);
  const other = await app.inject({ url, headers: { 'if-none-match': '"another"' } });
  assert.equal(other.statusCode, 200);
  const changing = await queueJob(app, endless);
  const before = (await app.inject(`/v1/training-jobs/${changing.id}`)).headers.etag!;
  await cancelJob(app, changing.id);
  await untilJob(app, changing.id, hasEnded);
  const changed = await app.inject({
    url: `/v1/training-jobs/${changing.id}`,
    headers: { 'if-none-match': before },
  });
  assert.equal(changed.statusCode, 200);
});

/** Usually the valid value. Each has few valid values, because all their combinations are timed. */
const usually = (valid: unknown, ...invalid: unknown[]) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(valid) },
    { weight: 1, arbitrary: fc.constantFrom(...invalid) },
  );
const requests = fc.record(
  {
    dataset: usually('fashion-mnist', 'missing', ''),
    modelName: usually('previewed', 'job_1', 'Not a name'),
    seed: usually(7, -1),
    network: usually({ hidden: [1] }, { hidden: [0] }, { hidden: [4096, 4096, 4096, 4096] }, { layers: 3 }),
    training: fc.record(
      {
        epochs: usually(3, 0),
        batchSize: usually(1024, 1025),
        validation: usually({ fraction: 0.5 }, null, { fraction: 0.99 }),
        earlyStopping: usually({ patience: 2 }, { patience: 0 }),
        classWeights: usually(null, [1, 2]),
        schedule: usually({ type: 'constant' }, { type: 'linear', warmupEpochs: 9 }),
      },
      { requiredKeys: [] },
    ),
    warmStart: usually(null, 'nobody', 'nobody@3'),
    notify: usually(null, { url: 'https://elsewhere.example/' }, { url: 'ftp://x' }),
    priority: usually(1, 11),
    testSet: usually('once', 'twice'),
  },
  { requiredKeys: ['dataset', 'network'] },
);

test('a preview rejects exactly the requests that cannot start a job, with the same errors', async () => {
  const statuses = new Set<number>();
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload });
  const property = fc.asyncProperty(requests, async (body) => {
    const [started, previewed] = [
      await post('/v1/training-jobs', body),
      await post('/v1/training-jobs/preview', body),
    ];
    statuses.add(started.statusCode);
    if (started.statusCode === 202) {
      assert.equal(previewed.statusCode, 200, previewed.body);
      const { request } = previewed.json();
      const job = started.json<TrainingJob>();
      // It may have ended, if no other job occupies the slot.
      await app.inject({ method: 'POST', url: `/v1/training-jobs/${job.id}/cancel` });
      for (const [field, value] of Object.entries(request)) {
        assert.deepEqual(value, job[field as keyof TrainingJob], field);
      }
      return;
    }
    const [expected, found] = [started, previewed].map((response) => {
      const { instance: _, requestId: __, ...problem } = response.json();
      return problem;
    });
    assert.deepEqual(found, expected);
  });
  await fc.assert(property, { numRuns: 30, seed: 1 });
  assert.deepEqual([...statuses].toSorted(), [202, 400, 422]);
});
