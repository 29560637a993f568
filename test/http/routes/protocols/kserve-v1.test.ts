/**
 * KServe v1, as its client uses it by default: kserve/inference_client.py, InferenceRESTClient(RESTConfig()).
 * httpx sends an Accept of every type and, because the body is given as bytes, no content type.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { LightMyRequestResponse } from 'fastify';
import { type Explanation, explanationSchema } from '../../../../src/domain/predictions/explanation.ts';
import { testImage } from '../../../support/start-service.ts';
import { startTrained } from './kserve-v2/fixtures.ts';
import { assertError } from './kserve-v2/triton-client.ts';

const { app, images } = await startTrained({ after });
const HEADERS = {
  accept: '*/*',
  'accept-encoding': 'gzip, deflate',
  connection: 'keep-alive',
  'user-agent': 'python-httpx/0.28.1',
};
/** Decodes a response like httpx. */
const parse = ({ headers, rawPayload }: LightMyRequestResponse) =>
  JSON.parse(`${headers['content-encoding'] === 'gzip' ? gunzipSync(rawPayload) : rawPayload}`);
const get = (url: string) => app.inject({ url, headers: HEADERS });
const send = (payload: Buffer, headers = {}, name = 'fashion-mnist') =>
  app.inject({
    method: 'POST',
    url: `/v1/models/${name}:explain`,
    headers: { ...HEADERS, ...headers },
    payload,
  });
const explain = (body: object, name?: string) => send(Buffer.from(JSON.stringify(body)), {}, name);

test('is_server_live: GET / responds {"status": "alive"}', async () => {
  for (const accept of ['*/*', 'application/json']) {
    const response = await app.inject({ url: '/', headers: { ...HEADERS, accept } });
    assert.deepEqual([response.statusCode, response.json()], [200, { status: 'alive' }]);
    assert.equal(response.headers['content-type'], 'application/json');
  }
});

test('is_model_ready: GET /v1/models/{m} has name and ready, and an absent model gives 404', async () => {
  const response = await get('/v1/models/fashion-mnist');
  const { name, ready, latest } = parse(response);
  assert.deepEqual([response.statusCode, name, ready, latest.version], [200, 'fashion-mnist', true, 1]);
  assert.equal((await get('/v1/models/nope')).statusCode, 404);
});

test('explain: {"instances"} gets the {"explanations"} of the native protocol', async () => {
  const native = await Promise.all(
    images.map(async (image) => {
      const url = '/v1/models/fashion-mnist/versions/1/explanations';
      const payload = { image };
      return (await app.inject({ method: 'POST', url, payload })).json<Explanation>();
    }),
  );
  const b64 = (await testImage(app, 0, 'image/png')).toString('base64');
  for (const instances of [images, images.map((image) => image.map((value) => value / 255))]) {
    const response = await explain({ instances });
    assert.equal(response.statusCode, 200, response.body);
    assert.equal(response.headers['content-type'], 'application/json');
    const { explanations } = parse(response) as { explanations: Explanation[] };
    assert.deepEqual(explanations, native);
    explanationSchema.strict().parse(explanations[0]);
  }
  const encoded = parse(await explain({ instances: [{ image_bytes: { b64 } }] }));
  assert.deepEqual(encoded, { explanations: native.slice(0, 1) });
  const body = Buffer.from(JSON.stringify({ instances: [{ b64 }] }));
  assert.deepEqual(parse(await send(gzipSync(body), { 'content-encoding': 'gzip' })), encoded);
  assertError(await send(body, { 'content-encoding': 'br' }), 415, /Content-Encoding: br/);
});

test('explain: invalid instances give 400, and an absent model 404, with {"error": "text"}', async () => {
  assertError(await explain({}), 400, /#\/instances: Is required/);
  assertError(await explain({ instances: [] }), 400, /array of at least one image/);
  assertError(await explain({ instances: [[1, 2]] }), 400, /shape/);
  assertError(await explain({ inputs: images }), 400, /unknown/i);
  const many = new Array(17).fill(images[0]);
  assertError(await explain({ instances: many }), 400, /17 images; the limit of an explanation is 16/);
  assertError(await explain({ instances: images }, 'nope'), 404, /Model nope does not exist/);
  const wrong = await get('/v1/models/fashion-mnist:explain');
  assertError(wrong, 405);
  assert.equal(wrong.headers.allow, 'POST');
});
