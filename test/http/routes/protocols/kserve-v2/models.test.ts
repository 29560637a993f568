/** KServe v2 models, and Triton's repository and statistics extensions. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { npyBytes } from '../../../../../src/formats/arrays/npy.ts';
import { tiny, train } from '../../../../support/start-service.ts';
import { importFile } from '../../../import-file.ts';
import { startTrained, TRAINING } from './fixtures.ts';
import { assertError, inferJson } from './triton-client.ts';

const { app, images } = await startTrained({ after });
await train(app, tiny({ training: TRAINING, seed: 1 }));
await train(app, tiny({ training: TRAINING, modelName: 'other' }));
const request = (shape: number[], data: unknown) => ({
  inputs: [{ name: 'image', shape, datatype: 'UINT8', data }],
});
const one = request([1, 784], images[0]);

async function setChampion(version: number) {
  const url = '/v1/models/fashion-mnist/aliases/champion';
  const response = await app.inject({ method: 'PUT', url, payload: { version } });
  assert.ok(response.statusCode < 300, response.body);
}

test('model metadata has versions as decimal strings, and tensors with a variable first dimension', async () => {
  const expected = {
    name: 'fashion-mnist',
    versions: ['1', '2'],
    platform: 'atelier',
    inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 784] }],
    outputs: [
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 10] },
      { name: 'label', datatype: 'INT64', shape: [-1] },
    ],
  };
  for (const url of ['/v2/models/fashion-mnist', '/v2/models/fashion-mnist/versions/1']) {
    const response = await app.inject(url);
    assert.deepEqual([response.statusCode, response.json()], [200, expected]);
  }
});

test('a model and its versions are ready', async () => {
  for (const url of ['/v2/models/other/ready', '/v2/models/other/versions/1/ready']) {
    const response = await app.inject(url);
    assert.deepEqual([response.statusCode, response.json()], [200, { name: 'other', ready: true }]);
  }
  assertError(await app.inject('/v2/models/other/versions/2/ready'), 404, /other has no version 2/);
});

test('without a version the champion serves, at first the first version', async () => {
  const versionOf = async () => (await inferJson(app, one)).json().model_version;
  assert.equal(await versionOf(), '1');
  await setChampion(2);
  assert.equal(await versionOf(), '2');
});

test('serves a version by number or alias', async () => {
  await setChampion(1);
  for (const [version, number] of [
    ['2', '2'],
    ['1', '1'],
    ['champion', '1'],
  ]) {
    const response = await inferJson(app, one, `/v2/models/fashion-mnist/versions/${version}/infer`);
    assert.equal(response.json().model_version, number, response.body);
  }
  assertError(await inferJson(app, one, '/v2/models/fashion-mnist/versions/9/infer'), 404, /no version 9/);
});

test('the repository index lists every version of every model as ready', async () => {
  const expected = [
    { name: 'fashion-mnist', version: '1', state: 'READY', reason: '' },
    { name: 'fashion-mnist', version: '2', state: 'READY', reason: '' },
    { name: 'other', version: '1', state: 'READY', reason: '' },
  ];
  const url = '/v2/repository/index';
  // tritonclient sends no body and no content type; Triton's documentation shows a JSON object.
  for (const payload of [undefined, '', '{}', '{"ready":true}', '{"ready":false}']) {
    const response = await app.inject({ method: 'POST', url, ...(payload !== undefined && { payload }) });
    assert.deepEqual([response.statusCode, response.json()], [200, expected], payload);
  }
  assertError(await app.inject({ method: 'POST', url, payload: '{"ready":1}' }), 400, /#\/ready/);
  assertError(await app.inject({ method: 'POST', url, payload: '[' }), 400);
});

test('metadata of a model with other classes has their number and names, with any characters', async () => {
  const biases = new Float32Array(784 * 3 + 3);
  biases[784 * 3 + 1] = 1;
  const file = npyBytes(biases, [biases.length]);
  const fields = { name: 'three', hidden: '[]', classNames: '["a","b:c:d","ü"]' };
  const imported = await importFile(app, file, fields);
  assert.equal(imported.statusCode, 201, imported.body);
  const { outputs } = (await app.inject('/v2/models/three')).json();
  assert.deepEqual(outputs[0].shape, [-1, 3]);
  const asked = [{ name: 'probabilities', parameters: { classification: 3 } }];
  const answered = (await inferJson(app, { ...one, outputs: asked }, '/v2/models/three/infer')).json();
  const texts: string[] = answered.outputs[0].data;
  assert.deepEqual(
    texts.map((text) => text.replace(/^[^:]+/, '')),
    [':1:b:c:d', ':0:a', ':2:ü'],
  );
  for (const [n, z] of [Math.E, 1, 1].entries()) {
    assert.ok(Math.abs(Number.parseFloat(texts[n]!) - z / (Math.E + 2)) < 1e-6, texts[n]);
  }
  const { outputs: plain } = (await inferJson(app, one, '/v2/models/three/infer')).json();
  assert.deepEqual([plain[0].shape, plain[1].data], [[1, 3], [1]]);
  await app.inject({ method: 'DELETE', url: '/v1/models/three' });
});

test('responds to load and unload as Triton without explicit model control', async () => {
  // TRITONSERVER_ERROR_UNAVAILABLE of model_repository_manager.cc, which http_server.cc maps to 503. Tritonclient sends
  // an empty object of parameters.
  for (const action of ['load', 'unload']) {
    const url = `/v2/repository/models/other/${action}`;
    const response = await app.inject({ method: 'POST', url, payload: '{"parameters":{}}' });
    assertError(response, 503, /^explicit model load \/ unload is not allowed if polling is enabled/);
  }
});

test('the statistics of a version count images, requests, failures and phase durations', async () => {
  const stats = async () => {
    const response = await app.inject('/v2/models/other/versions/1/stats');
    assert.equal(response.statusCode, 200, response.body);
    const { model_stats } = response.json();
    assert.equal(model_stats.length, 1);
    return model_stats[0];
  };
  const none = { count: 0, ns: 0 };
  assert.deepEqual(await stats(), {
    name: 'other',
    version: '1',
    last_inference: 0,
    inference_count: 0,
    execution_count: 0,
    inference_stats: {
      success: none,
      fail: none,
      queue: none,
      compute_input: none,
      compute_infer: none,
      compute_output: none,
      cache_hit: none,
      cache_miss: none,
    },
    batch_stats: [],
  });
  const before = Date.now();
  const url = '/v2/models/other/infer';
  await inferJson(app, one, url);
  await inferJson(app, request([3, 784], images), url);
  await inferJson(app, request([3, 784], images), url);
  assert.equal((await inferJson(app, request([2, 784], images), url)).statusCode, 400);
  const { last_inference, inference_count, execution_count, inference_stats, batch_stats } = await stats();
  assert.ok(last_inference >= before && last_inference <= Date.now());
  assert.deepEqual([inference_count, execution_count], [7, 3]);
  const counts = Object.entries<{ count: number; ns: number }>(inference_stats);
  assert.deepEqual(
    counts.map(([name, { count }]) => [name, count]),
    [
      ['success', 3],
      ['fail', 1],
      ['queue', 3],
      ['compute_input', 3],
      ['compute_infer', 3],
      ['compute_output', 3],
      ['cache_hit', 0],
      ['cache_miss', 0],
    ],
  );
  for (const name of ['success', 'fail', 'compute_input', 'compute_infer', 'compute_output']) {
    const { ns } = inference_stats[name];
    assert.ok(Number.isInteger(ns) && ns > 0, name);
  }
  assert.deepEqual(
    batch_stats.map((each: { batch_size: number; compute_infer: { count: number } }) => [
      each.batch_size,
      each.compute_infer.count,
    ]),
    [
      [1, 1],
      [3, 2],
    ],
  );
});

test('statistics without a version cover all versions, without a model all models', async () => {
  const named = async (url: string) => {
    const response = await app.inject(url);
    assert.equal(response.statusCode, 200, response.body);
    return response
      .json()
      .model_stats.map((each: { name: string; version: string }) => `${each.name} ${each.version}`);
  };
  assert.deepEqual(await named('/v2/models/fashion-mnist/stats'), ['fashion-mnist 1', 'fashion-mnist 2']);
  assert.deepEqual(await named('/v2/models/stats'), ['fashion-mnist 1', 'fashion-mnist 2', 'other 1']);
  assertError(await app.inject('/v2/models/nope/stats'), 404);
  assertError(await app.inject('/v2/models/other/versions/3/stats'), 404);
});
