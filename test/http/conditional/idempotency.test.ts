import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  queueJob,
  startService,
  temporaryDirectory,
  tiny,
  untilJob,
} from '../../support/start-service.ts';

const file = { after };
/** A path whose POST creates a resource. */
const URL = '/v1/training-jobs';

const STATE_DIR = await temporaryDirectory(file);
const first = await startService(file, { STATE_DIR, TRAINING_WORKERS: '1' });
const { app } = first;
// This job occupies the only slot, so later jobs stay queued.
const busy = await queueJob(app, endless);

function post(key: string, payload: object | string = tiny(), to = app): Promise<LightMyRequestResponse> {
  const headers = { 'idempotency-key': key, 'content-type': 'application/json' };
  return to.inject({ method: 'POST', url: URL, headers, payload });
}

/** Number of jobs with this text in their metadata. */
async function countJobs(mark: string, of: FastifyInstance = app): Promise<number> {
  const { data, hasMore } = (await of.inject(`${URL}?limit=100`)).json();
  assert.equal(hasMore, false);
  return data.filter((job: TrainingJob) => job.metadata['mark'] === mark).length;
}

const marked = (mark: string) => tiny({ metadata: { mark } });

function assertReplay(replay: LightMyRequestResponse, original: LightMyRequestResponse): void {
  assert.equal(replay.headers['idempotency-replayed'], 'true');
  assert.equal(replay.statusCode, original.statusCode);
  for (const name of ['location', 'content-type', 'content-length']) {
    assert.ok(replay.headers[name]);
    assert.equal(replay.headers[name], original.headers[name], name);
  }
  assert.ok(replay.rawPayload.equals(original.rawPayload), 'the bodies differ');
  assert.notEqual(replay.headers['x-request-id'], original.headers['x-request-id']);
}

test('a repeated request gets the first response, even if the job has changed', async () => {
  const key = randomUUID();
  const original = await post(key, marked(key));
  assert.equal(original.statusCode, 202, original.body);
  assert.equal(original.headers['idempotency-replayed'], undefined);
  const { id, status } = original.json();
  assert.equal(status, 'queued');
  await cancelJob(app, id);
  assertReplay(await post(key, marked(key)), original);
  assert.equal(await countJobs(key), 1);
});

test('the first response with a key equals a response without a key', async () => {
  const keyed = await post(randomUUID());
  const plain = await app.inject({ method: 'POST', url: URL, payload: tiny() });
  assert.deepEqual(Object.keys(keyed.headers), Object.keys(plain.headers));
  const shape = ({ json }: LightMyRequestResponse) => ({ ...json(), id: '', createdAt: '' });
  assert.deepEqual(shape(keyed), shape(plain));
  assert.deepEqual((await app.inject(String(keyed.headers['location']))).json(), keyed.json());
});

test('of 20 concurrent requests with one key, one creates, and the others get 409 or its response', async () => {
  const key = randomUUID();
  const responses = await Promise.all(Array.from({ length: 20 }, () => post(key, marked(key))));
  const [original, ...others] = responses.filter(
    ({ statusCode, headers }) => statusCode === 202 && !headers['idempotency-replayed'],
  );
  assert.ok(original);
  assert.equal(others.length, 0);
  for (const response of responses) {
    if (response === original) continue;
    if (response.statusCode === 202) assertReplay(response, original);
    else {
      assertProblem(response, 409, 'request-in-flight');
      assert.equal(response.headers['retry-after'], '1');
    }
  }
  assert.equal(await countJobs(key), 1);
  const repeated = await Promise.all(Array.from({ length: 20 }, () => post(key, marked(key))));
  for (const response of repeated) assertReplay(response, original);
});

test('equivalent JSON is the same body, and a different body is rejected regardless of defaults', async () => {
  const key = randomUUID();
  const original = await post(key, '{"dataset":"fashion-mnist","seed":1,"metadata":{"mark":"x","a":"b"}}');
  const otherwise =
    '{ "metadata": {"a": "b", "mark": "\\u0078"},\n "seed": 1.0, "dataset": "fashion-mnist" }';
  assertReplay(await post(key, otherwise), original);
  const bodies = [
    { dataset: 'fashion-mnist', seed: 2, metadata: { mark: 'x', a: 'b' } },
    { dataset: 'fashion-mnist', seed: 1, metadata: { mark: 'x', a: 'b' }, gradientCheck: true },
  ];
  for (const body of bodies) {
    const { detail } = assertProblem(await post(key, body), 422, 'idempotency-key-reused');
    assert.ok(detail.includes(key));
  }
  const both = await Promise.all([post('both', tiny({ seed: 1 })), post('both', tiny({ seed: 2 }))]);
  assert.deepEqual(both.map(({ statusCode }) => statusCode).toSorted(), [202, 422]);
});

test('a quoted key, as in the draft, equals the unquoted key', async () => {
  for (const [bare, quoted] of [
    ['a-b/c', '"a-b/c"'],
    ['say=\\hi\\', '"say=\\\\hi\\\\"'],
    ['a"b', '"a\\"b"'],
    ['x'.repeat(255), `"${'x'.repeat(255)}"`],
    ['~', '"~"'],
  ] as const) {
    const original = await post(bare);
    assertReplay(await post(quoted), original);
  }
});

test('rejects an invalid key by name and creates nothing', async () => {
  const malformed = [
    '',
    '""',
    '"',
    '"a',
    '"a"b',
    '"a"; p=1',
    '"a\\b"',
    '"a\\',
    'a b',
    '"a b"',
    'a, b',
    'ä',
    '"ä"',
    'a\tb',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
  ];
  for (const key of malformed) {
    const problem = assertProblem(
      await post(key, marked('malformed')),
      400,
      'invalid-request',
      'idempotency-key',
    );
    assert.match(
      problem.detail,
      /^The headers are invalid\. idempotency-key: Must be 1 to 255 visible ASCII/,
    );
  }
  assert.equal(await countJobs('malformed'), 0);
});

test('an error before creation releases the key for the corrected request', async () => {
  const key = randomUUID();
  assertProblem(await post(key, '{'), 400, 'malformed-body');
  assertProblem(await post(key, { dataset: 7 }), 400, 'invalid-request');
  assertProblem(await post(key, tiny({ dataset: 'unknown' })), 422, 'unknown-dataset');
  const answer = await post(key);
  assert.equal(answer.statusCode, 202);
  assert.equal(answer.headers['idempotency-replayed'], undefined);
});

test('a request rejected by a full queue can be retried with its key', async (t) => {
  const small = await startService(t, { TRAINING_WORKERS: '1', QUEUE_LIMIT: '1' });
  const running = await queueJob(small.app, endless);
  await untilJob(small.app, running.id, (job) => job.status === 'running');
  const waiting = await post('waiting', tiny(), small.app);
  assertProblem(await post('refused', tiny(), small.app), 429, 'queue-full');
  assertReplay(await post('waiting', tiny(), small.app), waiting);
  await cancelJob(small.app, waiting.json().id);
  const later = await post('refused', tiny(), small.app);
  assert.deepEqual([later.statusCode, later.headers['idempotency-replayed']], [202, undefined]);
});

test('two API keys can use the same idempotency key for different requests', async (t) => {
  const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');
  const API_KEYS = ['one', 'two'].map((name) => `${name}:train:${hashOf(`secret of ${name}`)}`).join(',');
  const service = await startService(t, { API_KEYS });
  const as = (name: string, payload: object) => {
    const headers = { 'idempotency-key': 'same', authorization: `Bearer secret of ${name}` };
    return service.app.inject({ method: 'POST', url: URL, headers, payload });
  };
  const [one, two] = await Promise.all([as('one', tiny()), as('two', tiny({ seed: 2 }))]);
  assert.deepEqual([one.json().seed, two.json().seed], [0, 2]);
  assertReplay(await as('one', tiny()), one);
  assertReplay(await as('two', tiny({ seed: 2 })), two);
});

test('routes that create nothing ignore the key', async () => {
  const headers = { 'idempotency-key': 'no key at all' };
  const check = { coordinates: { sample: 1 }, examples: [0], network: { hidden: [1] } };
  const response = await app.inject({ method: 'POST', url: '/v1/gradient-checks', headers, payload: check });
  assert.equal(response.statusCode, 200, response.body);
});

test('after a restart the stored response is replayed byte for byte', async (t) => {
  const key = randomUUID();
  const body = { ...endless, metadata: { mark: key } };
  const original = await post(key, body);
  await cancelJob(app, busy.id);
  await first.close();
  const second = await startService(t, { STATE_DIR });
  await cancelJob(second.app, original.json().id);
  assertReplay(await post(key, body, second.app), original);
  assertProblem(await post(key, tiny(), second.app), 422, 'idempotency-key-reused');
});
