import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startService, tiny, train } from '../../../support/start-service.ts';

const PAGE = 'https://lab.example';
const { app } = await startService({ after }, { CORS_ORIGINS: PAGE });
const job = await train(app, tiny());
const pixels = Buffer.alloc(784);
const large = Buffer.alloc(400 * 784);
const json = { images: [[...pixels]] };

const BYTES = 'application/octet-stream';
const JSON_TYPE = 'application/json';
const MODEL = '/v1/models/fashion-mnist';
const requests: readonly (readonly [url: string, type: string, body: Buffer | object, accept?: string])[] = [
  [`${MODEL}/predictions`, BYTES, pixels],
  [`${MODEL}/predictions`, BYTES, large],
  [`${MODEL}/predictions`, BYTES, pixels, 'application/x-npy'],
  [`${MODEL}/versions/1/explanations`, BYTES, pixels],
  [`${MODEL}/versions/1/explanations`, BYTES, pixels, 'image/png'],
  [
    '/v2/models/fashion-mnist/infer',
    JSON_TYPE,
    { inputs: [{ name: 'image', shape: [1, 784], datatype: 'UINT8', data: [...pixels] }] },
  ],
  ['/v2/models/fashion-mnist/versions/1/infer', BYTES, Buffer.alloc(784 * 4)],
  [`${MODEL}:predict`, JSON_TYPE, { instances: json.images }],
  [`${MODEL}/versions/1:predict`, JSON_TYPE, { inputs: json.images }],
  ['/invocations', JSON_TYPE, { instances: json.images }],
];

test('every prediction names its version, in every protocol and format', async () => {
  for (const [url, type, body, accept = '*/*'] of requests) {
    const response = await app.inject({
      method: 'POST',
      url,
      headers: {
        'content-type': type,
        accept,
        origin: PAGE,
        ...(url.includes('/versions/1/infer') && { 'inference-header-content-length': '0' }),
      },
      payload: body,
    });
    assert.equal(response.statusCode, 200, `${url}: ${response.body}`);
    assert.equal(response.headers['x-model-name'], 'fashion-mnist', url);
    assert.equal(response.headers['x-model-version'], '1', url);
    assert.match(
      String(response.headers['access-control-expose-headers']),
      /RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset,.*X-Model-Name, X-Model-Version/,
    );
  }
});

test('a prediction of a checkpoint names the job and the step, as its JSON does', async () => {
  const { data } = (await app.inject(`/v1/training-jobs/${job.id}/checkpoints`)).json();
  const { step } = data.at(-1);
  const response = await app.inject({
    method: 'POST',
    url: `/v1/training-jobs/${job.id}/checkpoints/${step}/predictions`,
    headers: { 'content-type': BYTES },
    payload: pixels,
  });
  const { headers } = response;
  assert.deepEqual([headers['x-model-name'], headers['x-model-version']], [job.id, `${step}`]);
  assert.deepEqual(response.json().model, { name: job.id, version: step });
});

test('the OpenAPI document lists the headers of every prediction', async () => {
  const { paths } = (await app.inject('/openapi.json')).json();
  const named = Object.entries<Record<string, { responses: Record<string, { headers: object }> }>>(
    paths,
  ).filter(([path]) => /predict(ions)?$|infer$|invocations|explanations/.test(path));
  assert.equal(named.length, 10);
  for (const [path, { post }] of named) {
    assert.deepEqual(
      Object.keys(post!.responses['200']!.headers).filter((name) => name.startsWith('X-Model')),
      ['X-Model-Name', 'X-Model-Version'],
      path,
    );
  }
});
