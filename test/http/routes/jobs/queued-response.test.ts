import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { contentTag } from '../../../../src/http/conditional/etag.ts';
import { readExamples } from '../../../../src/http/openapi/examples.ts';
import { trainingJobRoutes } from '../../../../src/http/routes/jobs/collection.ts';
import { serveRoutes } from '../bare-app.ts';

const { TrainingJob: example } = await readExamples();
const QUEUED = example as TrainingJob;
const NEWER = { ...QUEUED, status: 'cancelled' } as TrainingJob;
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A job is queued when it is created, and read as `read` tells afterwards. */
async function serve({ waits = false, read = async () => NEWER }) {
  const asked: unknown[][] = [];
  const note = async (...args: unknown[]) => {
    asked.push(args);
    return QUEUED;
  };
  const waited: unknown[] = [];
  const app = await serveRoutes(trainingJobRoutes, {
    training: {
      start: async (_request: unknown, ...rest: unknown[]) => note('start', ...rest),
      verify: (...args: unknown[]) => note('verify', ...args),
      get: read,
    },
    async waitAsPreferred(_request: unknown, _reply: unknown, job: unknown) {
      waited.push(job);
      return waits;
    },
  });
  const headers = { traceparent };
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, headers, payload });
  return {
    start: () => post('/v1/training-jobs', { dataset: 'fashion-mnist' }),
    verify: () => post('/v1/training-jobs/job_1/verify', {}),
    get: () => app.inject(`/v1/training-jobs/${QUEUED.id}`),
    asked,
    waited,
  };
}

test('a job is created with the trace of its request, and shown as it is queued', async () => {
  const { start, verify, asked, waited } = await serve({});
  for (const response of [await start(), await verify()]) {
    assert.deepEqual([response.statusCode, response.json()], [202, QUEUED]);
    assert.equal(response.headers.location, `/v1/training-jobs/${QUEUED.id}`);
  }
  assert.deepEqual(asked, [
    ['start', undefined, traceparent],
    ['verify', 'job_1', undefined, traceparent],
  ]);
  const queued = { id: QUEUED.id, status: 'queued' };
  assert.deepEqual(waited, [queued, queued]);
});

test('after a wait, a job is shown as it is then', async () => {
  const { start, verify } = await serve({ waits: true });
  assert.deepEqual([(await start()).json(), (await verify()).json()], [NEWER, NEWER]);
});

test('a job that cannot be read after a wait has been created all the same', async () => {
  const { start } = await serve({ waits: true, read: () => Promise.reject(new Error('Away.')) });
  const { statusCode, body } = await start();
  assert.deepEqual([statusCode, JSON.parse(body)], [202, QUEUED]);
});

test('a job is read again after a wait only', async () => {
  const reading = (jobs: readonly TrainingJob[]) => {
    const left = [...jobs];
    return async () => left.shift() ?? assert.fail('The job is read once more.');
  };
  const { get: now } = await serve({ read: reading([QUEUED]) });
  const immediate = await now();
  assert.deepEqual([immediate.json(), immediate.headers.etag], [QUEUED, contentTag(JSON.stringify(QUEUED))]);
  const { get: later } = await serve({ waits: true, read: reading([QUEUED, NEWER]) });
  const waited = await later();
  assert.deepEqual([waited.json(), waited.headers.etag], [NEWER, contentTag(JSON.stringify(NEWER))]);
});
