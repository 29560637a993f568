/** Generated requests: responses match the contract, and no response is a 5xx. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { ERROR_CODES } from '../../src/errors.ts';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { readExamples } from '../../src/http/openapi/examples.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  isRunning,
  queueJob,
  startService,
  tiny,
  train,
  untilJob,
} from '../support/start-service.ts';
import { damaged, mutated, value } from './damaged-bodies.ts';

// The only slot is taken and the queue is full, so no generated job runs; valid ones get `queue-full`.
const { app } = await startService(
  { after },
  { TRAINING_WORKERS: '1', QUEUE_LIMIT: '1', MAX_BODY_BYTES: String(2 ** 20) },
);
await train(app);
const busy = await queueJob(app, endless);
await untilJob(app, busy.id, isRunning);
const waiting = await queueJob(app, tiny());
const contract = await app.openapi();
const png = await sharp(Buffer.alloc(784, 7), { raw: { width: 28, height: 28, channels: 1 } })
  .png()
  .toBuffer();

const RUNS = { numRuns: 150, endOnFailure: true };
const PREDICT = '/v1/models/{name}/predictions';

type Answer = Awaited<ReturnType<typeof app.inject>>;

function assertInContract(response: Answer, path: string, method: 'get' | 'post' = 'post'): void {
  const { statusCode } = response;
  assert.ok(statusCode < 500, response.body);
  const known = Object.keys(contract.paths![path]![method]!.responses!);
  assert.ok(
    known.includes(String(statusCode)),
    `${method} ${path} does not know ${statusCode}: ${response.body}`,
  );
  if (statusCode < 400) return;
  const { code } = JSON.parse(response.body);
  assert.ok(ERROR_CODES.includes(code));
  assertProblem(response, statusCode, code);
}

async function stillAnswers(): Promise<void> {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/models/fashion-mnist/predictions',
    headers: { 'content-type': 'image/png' },
    payload: png,
  });
  assert.equal(response.statusCode, 200);
}

const trainingBody = (await readExamples())['TrainingRequest'] as object;
const checkBody = {
  examples: [0, 7],
  network: { hidden: [3] },
  coordinates: { sample: 20 },
  seed: 1,
  stepSize: 1e-5,
};
const image = { image: new Array(784).fill(0) };

for (const { path, url, valid } of [
  { path: '/v1/training-jobs', url: '/v1/training-jobs', valid: trainingBody },
  { path: '/v1/gradient-checks', url: '/v1/gradient-checks', valid: checkBody },
  { path: PREDICT, url: '/v1/models/fashion-mnist/predictions', valid: image },
]) {
  test(`any JSON to ${url} succeeds or is rejected by name`, async () => {
    const body = fc.oneof(value, mutated(valid), mutated(valid), fc.constant(valid));
    await fc.assert(
      fc.asyncProperty(body, async (payload) => {
        const headers = { 'content-type': 'application/json' };
        assertInContract(
          await app.inject({ method: 'POST', url, headers, payload: JSON.stringify(payload) }),
          path,
        );
      }),
      RUNS,
    );
    await stillAnswers();
  });

  test(`any bytes sent as JSON to ${url} succeed or are rejected by name`, async () => {
    const text = JSON.stringify(valid);
    await fc.assert(
      fc.asyncProperty(damaged(Buffer.from(text.slice(0, 400))), async (payload) => {
        const headers = { 'content-type': 'application/json' };
        assertInContract(
          await app.inject({ method: 'POST', url, headers, payload: Buffer.from(payload) }),
          path,
        );
      }),
      RUNS,
    );
    await stillAnswers();
  });
}

const form = Buffer.concat([
  Buffer.from(
    '--b\r\nContent-Disposition: form-data; name="file"; filename="f.png"\r\nContent-Type: image/png\r\n\r\n',
  ),
  png,
  Buffer.from('\r\n--b--\r\n'),
]);
for (const [type, valid] of [
  ['application/octet-stream', new Uint8Array(784)],
  ['application/x-npy', npyBytes(new Float32Array(784), [1, 28, 28])],
  ['image/png', png],
  ['image/jpeg', await sharp(png).jpeg().toBuffer()],
  ['image/webp', await sharp(png).webp().toBuffer()],
  ['multipart/form-data; boundary=b', form],
] as const) {
  test(`any bytes of ${type} are predicted or rejected by name`, async () => {
    const query = fc.constantFrom(
      '',
      '',
      '?topK=2',
      '?logits=true',
      '?pixels=0-1',
      '?fit=contain',
      '?diagnose=true',
    );
    await fc.assert(
      fc.asyncProperty(damaged(valid), query, async (payload, options) => {
        const url = `/v1/models/fashion-mnist/predictions${options}`;
        const headers = { 'content-type': type };
        assertInContract(
          await app.inject({ method: 'POST', url, headers, payload: Buffer.from(payload) }),
          PREDICT,
        );
      }),
      RUNS,
    );
    await stillAnswers();
  });
}

test('any content type is accepted or rejected by name', async () => {
  const token = fc.string({ unit: fc.constantFrom(...'ab/;=, "*.'), maxLength: 12 });
  const type = fc.oneof(
    token,
    token.map((rest) => `application/json${rest}`),
    token.map((rest) => `multipart/form-data${rest}`),
  );
  await fc.assert(
    fc.asyncProperty(type, async (contentType) => {
      const url = '/v1/models/fashion-mnist/predictions';
      const headers = { 'content-type': contentType };
      assertInContract(await app.inject({ method: 'POST', url, headers, payload: 'x' }), PREDICT);
    }),
    RUNS,
  );
});

test('any query and any Accept on every list succeeds or is rejected by name', async () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('1', '0', '-1', '1e3', '٣', '%00', '100'));
  const query = fc.dictionary(fc.oneof(fc.constantFrom('limit', 'after', 'status'), fc.string()), text, {
    maxKeys: 3,
  });
  const accept = fc.oneof(
    fc.constantFrom('*/*', 'text/csv', 'application/json;q=0', ',;=', 'a/b'),
    fc.string({ unit: 'grapheme-ascii' }),
  );
  const paths = fc.constantFrom(
    '/v1/datasets',
    '/v1/models',
    '/v1/models/{name}/versions',
    '/v1/training-jobs',
    '/v1/training-jobs/{id}/events',
    '/v1/training-jobs/{id}/metrics',
  );
  await fc.assert(
    fc.asyncProperty(paths, query, accept, async (path, parameters, accepted) => {
      const url = path.replace('{name}', 'fashion-mnist').replace('{id}', busy.id);
      const search = new URLSearchParams(parameters);
      assertInContract(
        await app.inject({ url: `${url}?${search}`, headers: { accept: accepted } }),
        path,
        'get',
      );
    }),
    RUNS,
  );
});

test('any path gives an existing resource or a 4xx', async () => {
  const segment = fc.oneof(
    fc.constantFrom(
      'v1',
      'models',
      'training-jobs',
      'datasets',
      'fashion-mnist',
      'versions',
      '1',
      '..',
      '%zz',
      '%2e',
      '',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { maxLength: 7 }), async (segments) => {
      const response = await app.inject({ url: `/${segments.join('/')}` });
      assert.ok(response.statusCode < 500, response.body);
      assert.ok(response.headers['x-request-id']);
    }),
    RUNS,
  );
  await cancelJob(app, waiting.id);
  await cancelJob(app, busy.id);
});
