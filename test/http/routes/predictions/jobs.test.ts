import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { CLASS_NAMES } from '../../../../src/datasets/fashion-mnist.ts';
import type { PredictionJob } from '../../../../src/domain/predictions/job.ts';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { npzBytes } from '../../../../src/formats/arrays/npz.ts';
import type { Predictions } from '../../../../src/protocols/native/schema.ts';
import { SMALL_DATA_DIR } from '../../../support/data-directory.ts';
import { assertProblem, startService, tiny, train } from '../../../support/start-service.ts';
import { encodeForm, type Form } from '../../upload.ts';

const { app } = await startService({ after }, { QUEUE_LIMIT: '2' });
await train(app, tiny({ modelName: 'small', testSet: 'never' }));
const testImages = await readFile(join(SMALL_DATA_DIR, 'fashion_mnist_test_images.npy'));
const pixels = parseNpy(testImages).data as Uint8Array;
const JOBS = '/v1/prediction-jobs';

const post = (payload: object, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: JOBS, payload, headers });

async function send(form: Form, headers: Record<string, string> = {}) {
  const { payload, headers: own } = await encodeForm(form);
  return app.inject({ method: 'POST', url: JOBS, payload, headers: { ...own, ...headers } });
}

async function untilEnded(at: FastifyInstance, id: string): Promise<PredictionJob> {
  for (;;) {
    const job = (await at.inject(`${JOBS}/${id}`)).json<PredictionJob>();
    if (job.finishedAt !== null) return job;
    await wait(5);
  }
}

async function succeed(response: Awaited<ReturnType<typeof post>>): Promise<PredictionJob> {
  assert.equal(response.statusCode, 202, response.body);
  const job = await untilEnded(app, response.json().id);
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  return job;
}

const result = (id: string, query = '', headers = {}) =>
  app.inject({ url: `${JOBS}/${id}/result${query}`, headers });

async function predict(body: Buffer, accept: string) {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/models/small/predictions',
    headers: { 'content-type': 'application/x-npy', accept },
    payload: body,
  });
  assert.equal(response.statusCode, 200, response.body);
  return response;
}

test('the test split gives the predictions of a request, and the accuracy of the evaluation', async () => {
  const countLooks = async () => (await app.inject('/v1/datasets/fashion-mnist')).json().splits.test.looks;
  const looks = await countLooks();
  const created = await post({ model: 'small', dataset: 'fashion-mnist' });
  const job = await succeed(created);
  assert.equal(created.headers['location'], `${JOBS}/${job.id}`);
  assert.deepEqual([job.model, job.images, job.split], [{ name: 'small', version: 1 }, 1000, 'test']);
  assert.deepEqual(job.progress, { images: 1000, fraction: 1 });

  const npy = await result(job.id, '', { accept: 'application/x-npy' });
  const served = await predict(testImages, 'application/x-npy');
  assert.ok(npy.rawPayload.equals(served.rawPayload), 'the matrix is the same, byte for byte');
  assert.equal(npy.headers['content-disposition'], `attachment; filename="${job.id}.npy"`);

  const evaluation = (await app.inject('/v1/models/small/versions/1/evaluation')).json();
  assert.equal(job.accuracy, evaluation.accuracy);
  assert.equal(await countLooks(), looks + 1, 'the evaluation is not another look');
  const { predictions } = (await predict(testImages, 'application/json')).json<Predictions>();
  const labels = parseNpy(await readFile(join(SMALL_DATA_DIR, 'fashion_mnist_test_labels.npy')))
    .data as Uint8Array;
  const lines = predictions.map(({ label, className, probability, probabilities }, n) => {
    const truth = labels[n]!;
    return [
      n,
      label,
      className,
      probability,
      truth,
      CLASS_NAMES[truth],
      label === truth,
      probabilities,
    ].join();
  });
  const csv = (await result(job.id, '?probabilities=all')).body.split('\r\n');
  assert.equal(
    csv[0],
    'index,label,className,probability,trueLabel,trueClassName,correct,probability0,probability1,probability2,' +
      'probability3,probability4,probability5,probability6,probability7,probability8,probability9',
  );
  assert.deepEqual(csv.slice(1, -1), lines);
  const counts = job.classes!.map(({ label, images }) => [label, images]);
  assert.deepEqual(
    counts,
    CLASS_NAMES.map((_, label) => [label, predictions.filter((each) => each.label === label).length]),
  );
});

test('an uploaded archive gives the predictions of a request, and its table can be resumed by Range', async () => {
  const bytes = pixels.slice(0, 30 * 784);
  const data = Float32Array.from(bytes, (pixel) => pixel / 255);
  const file = npzBytes([{ name: 'images', shape: [30, 784], data }]);
  const headers = { 'idempotency-key': 'predict-once' };
  const form = { model: '{"name":"small","version":1}', file };
  const created = await send(form, headers);
  const job = await succeed(created);
  assert.deepEqual([job.pixels, job.images, job.accuracy, job.dataset], ['0-1', 30, null, null]);
  const served = await predict(Buffer.from(npyBytes(bytes, [30, 28, 28])), 'application/x-npy');
  assert.ok((await result(job.id, '?format=npy')).rawPayload.equals(served.rawPayload));

  const again = await send(form, headers);
  assert.deepEqual([again.body, again.headers['idempotency-replayed']], [created.body, 'true']);
  assertProblem(await send({ ...form, model: 'small@1' }, headers), 422, 'idempotency-key-reused');

  const { id } = job;
  const whole = await result(id);
  assert.equal(whole.headers['content-type'], 'text/csv; charset=utf-8');
  assert.match(whole.body, /^index,label,className,probability\r\n0,\d,[\w\-/ ]+,0\.\d+\r\n/);
  const tag = String(whole.headers['etag']);
  const known = await result(id, '', { 'if-none-match': tag });
  assert.deepEqual([known.statusCode, known.body], [304, '']);
  const rest = await result(id, '', { range: 'bytes=10-', 'if-range': tag });
  assert.deepEqual([rest.statusCode, rest.body], [206, whole.body.slice(10)]);
  assertProblem(await result(id, '', { accept: 'image/png' }), 406, 'not-acceptable');
  assertProblem(await result(id, '?format=npy&probabilities=all'), 400, 'invalid-request', 'probabilities');
  const npy = await result(id, '?probabilities=all', { accept: 'application/x-npy' });
  assertProblem(npy, 400, 'invalid-request', 'probabilities');
});

test('rejects files that cannot be predicted, and unknown or missing fields', async () => {
  const image = (await app.inject('/v1/datasets/fashion-mnist/splits/test/images/1')).rawPayload;
  const ambiguous = npyBytes(new Float32Array(784).fill(1.005), [784]);
  assertProblem(await send({ model: 'small', file: ambiguous }), 422, 'ambiguous-pixel-range', '#/pixels');
  assertProblem(await send({ model: 'small', file: image }), 400, 'malformed-body', '#/file');
  assertProblem(await send({ model: 'small' }), 400, 'malformed-body');
  const text = await send({ model: 'small', file: 'images' });
  assertProblem(text, 400, 'invalid-request', '#/file');
  assert.match(text.json().detail, /#\/file: Must be a file, as in curl -F file=@/);
  assertProblem(await send({ model: 'small', file: image, epochs: '1' }), 400, 'invalid-request', '#/epochs');
  assertProblem(await send({ file: image }), 400, 'invalid-request', '#/model');
  assertProblem(await send({ model: 'nobody', file: image }), 422, 'unknown-model', '#/model');
  assertProblem(await post({ model: 'small@9', dataset: 'fashion-mnist' }), 422, 'unknown-model', '#/model');
  assertProblem(await post({ model: 'small', dataset: 'none' }), 422, 'unknown-dataset', '#/dataset');
  assertProblem(await post({ model: 'small', dataset: 'fashion-mnist', splits: 1 }), 400, 'invalid-request');
});

test('a paused job begins again when it is resumed, with the same result', async () => {
  const act = (id: string, change: string) => app.inject({ method: 'POST', url: `${JOBS}/${id}/${change}` });
  const body = { model: 'small', dataset: 'fashion-mnist', split: 'train' };
  const { id } = (await post(body)).json<PredictionJob>();
  const paused = await act(id, 'pause');
  assert.equal(paused.statusCode, 202, paused.body);
  assert.deepEqual([paused.json().status, paused.json().pauseReason], ['paused', null]);
  const early = await result(id);
  assertProblem(early, 409, 'illegal-transition');
  assert.match(early.json().detail, /is paused.* Resume it/);
  const other = await succeed(await post(body));
  assertProblem(await act(other.id, 'pause'), 409, 'illegal-transition');
  const resumed = await act(id, 'resume');
  assert.deepEqual([resumed.statusCode, resumed.json().status], [202, 'queued']);
  assert.equal((await untilEnded(app, id)).status, 'succeeded');
  const [first, second] = await Promise.all([result(id, '?format=npy'), result(other.id, '?format=npy')]);
  assert.deepEqual(first.rawPayload, second.rawPayload);
  assertProblem(await act(id, 'resume'), 409, 'illegal-transition');
});

test('lists jobs by page and status, and deletes an ended job with its files', async () => {
  const body = { model: 'small', dataset: 'fashion-mnist' };
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.unshift((await succeed(await post(body))).id);
  const page = (await app.inject(`${JOBS}?limit=2&status=succeeded`)).json();
  assert.deepEqual([page.data.map(({ id }: PredictionJob) => id), page.hasMore], [ids.slice(0, 2), true]);
  const next = (await app.inject(`${JOBS}?limit=1&after=${page.lastId}`)).json();
  assert.equal(next.firstId, ids[2]);
  const url = `${JOBS}/${ids[0]}`;
  const stale = await app.inject({ method: 'DELETE', url, headers: { 'if-match': '"other"' } });
  assertProblem(stale, 412, 'precondition-failed');
  assert.equal((await app.inject({ method: 'DELETE', url })).statusCode, 204);
  assertProblem(await app.inject(url), 404, 'prediction-job-not-found');
  assertProblem(await result(ids[0]!), 404, 'prediction-job-not-found');
  assert.equal((await result(ids[1]!)).statusCode, 200);
  assertProblem(
    await app.inject({ method: 'POST', url: `${JOBS}/${ids[1]}/cancel` }),
    409,
    'illegal-transition',
  );
});

test('a repeated upload gets its stored response although the queue is full', async () => {
  const headers = { 'idempotency-key': 'full-queue' };
  const form = { model: 'small', file: npyBytes(pixels.slice(0, 784), [784]) };
  const created = await send(form, headers);
  await succeed(created);
  // Wide, so that the jobs which fill the queue outlast the two requests after them.
  await train(app, tiny({ modelName: 'wide', testSet: 'never', network: { hidden: [256] } }));
  const body = { model: 'wide', dataset: 'fashion-mnist', split: 'train' };
  const started = await Promise.all(Array.from({ length: 5 }, () => post(body)));
  assertProblem(await send(form), 429, 'queue-full');
  const again = await send(form, headers);
  assert.deepEqual([again.body, again.headers['idempotency-replayed']], [created.body, 'true']);
  for (const { statusCode, json } of started) {
    if (statusCode === 202) await app.inject({ method: 'POST', url: `${JOBS}/${json().id}/cancel` });
  }
});
