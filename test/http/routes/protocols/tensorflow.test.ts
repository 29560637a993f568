/** TensorFlow Serving: https://www.tensorflow.org/tfx/serving/api_rest#predict_api */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { LARGE_BODY_BYTES } from '../../../../src/http/hooks/overload/large-bodies.ts';
import { testImage, tiny, train } from '../../../support/start-service.ts';
import { startTrained, TRAINING } from './kserve-v2/fixtures.ts';
import { assertError } from './kserve-v2/triton-client.ts';

const { app, images, expected } = await startTrained({ after }, { MAX_BODY_BYTES: String(2 ** 25) });
const PREDICT = '/v1/models/fashion-mnist:predict';
const image = images[0]!;
const rows = (values: readonly number[]) =>
  Array.from({ length: 28 }, (_, n) => values.slice(28 * n, 28 * n + 28));
const channels = (values: readonly number[]) => rows(values).map((row) => row.map((value) => [value]));
const unit = (values: readonly number[]) => values.map((value) => value / 255);
const pictures = await Promise.all(
  [0, 1, 2].map(async (n) => ({ b64: (await testImage(app, n, 'image/png')).toString('base64') })),
);
const probabilities = expected.map((each) => each.probabilities);
const first = probabilities.slice(0, 1);

/** `curl -d`, the command in TensorFlow's documentation, sends every body as a form. */
function predict(body: unknown, url = PREDICT, type = 'application/x-www-form-urlencoded') {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  return app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload });
}

async function answer(body: unknown, url?: string) {
  const response = await predict(body, url);
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['content-type'], 'application/json');
  return response.json();
}

for (const [title, instances] of [
  ['784 numbers', images],
  ['28 rows of 28', images.map(rows)],
  ['28×28×1', images.map(channels)],
  ['numbers of 0–1', images.map(unit)],
  ['objects with the one input', images.map((each) => ({ image: each }))],
  ['pictures in Base64', pictures],
  ["objects with the input's name in Keras", images.map((each) => ({ flatten_input: rows(each) }))],
  ['objects with pictures', pictures.map((each) => ({ image_bytes: each }))],
] as const) {
  test(`row by row, instances of ${title} get {"predictions": [probabilities]}`, async () => {
    assert.deepEqual(await answer({ instances }), { predictions: probabilities });
  });
}

for (const [title, inputs, outputs] of [
  ['a tensor of rows', images, probabilities],
  ['a tensor of pictures', images.map(rows), probabilities],
  ['a tensor of pictures with a channel', images.map(channels), probabilities],
  ['one image', image, first],
  ['the rows of one image', rows(image), first],
  ['the one input by name', { image: images.map(unit) }, probabilities],
  ['pictures in Base64', pictures, probabilities],
  ['one image in Base64', pictures[0]!, first],
  ['pictures by name', { image_bytes: pictures }, probabilities],
] as const) {
  test(`by column, inputs of ${title} get {"outputs": [probabilities]}`, async () => {
    assert.deepEqual(await answer({ inputs }), { outputs });
  });
}

test('accepts the default signature only', async () => {
  const body = { signature_name: 'serving_default', instances: [image] };
  assert.deepEqual(await answer(body), { predictions: first });
  assertError(
    await predict({ ...body, signature_name: 'train' }),
    400,
    /signature_name: must be serving_default/i,
  );
});

test('a model without a version is its champion or newest, and versions and labels select others', async () => {
  await train(app, tiny({ training: TRAINING, seed: 1 }));
  const predictions = async (url?: string) => (await answer({ instances: [image] }, url)).predictions;
  const one = await predictions('/v1/models/fashion-mnist/versions/1:predict');
  const two = await predictions('/v1/models/fashion-mnist/versions/2:predict');
  assert.deepEqual(one, first);
  assert.notDeepEqual(two, one);
  assert.deepEqual(await predictions(), one);
  const put = (alias: string, version: number) =>
    app.inject({ method: 'PUT', url: `/v1/models/fashion-mnist/aliases/${alias}`, payload: { version } });
  await put('champion', 2);
  assert.deepEqual(await predictions(), two);
  await put('champion', 1);
  await put('canary', 2);
  assert.deepEqual(await predictions(), one);
  assert.deepEqual(await predictions('/v1/models/fashion-mnist/labels/canary:predict'), two);
});

test('accepts percent-encoding before the colon, and of the colon', async () => {
  for (const url of ['/v1/models/fashion%2Dmnist:predict', '/v1/models/fashion-mnist%3Apredict']) {
    assert.equal((await predict({ instances: [image] }, url)).statusCode, 200);
  }
});

for (const [title, body, pattern] of [
  ['neither instances nor inputs', {}, /either instances or inputs/],
  ['both', { instances: [image], inputs: [image] }, /either/],
  ['an unknown field', { instance: [image] }, /Has unknown fields: /],
  ['no instances', { instances: [] }, /at least one image/],
  ['instances that are no list', { instances: { image } }, /at least one image/],
  ['one image without a list', { instances: image }, /\(784,\)/],
  ['images of another size', { instances: [[1, 2, 3]] }, /\(1, 3\)/],
  ['ragged images', { instances: [image, image.slice(1)] }, /instances\/1 has 783 elements/],
  ['two inputs', { instances: [{ image, mask: image }] }, /has 2 fields, but a model has one input/],
  ['an object without fields', { inputs: {} }, /has 0 fields/],
  ['an input that holds no image', { instances: [{ key: 5 }] }, /shape \(1,\)/],
  ['null', { instances: [null] }, /null/],
  ['text', { instances: ['AAAA'] }, /a string/],
  ['pictures among numbers', { instances: [pictures[0], image] }, /is not an encoded image, but others are/],
  ['Base64 that is not an image', { instances: [{ b64: 'AAAA' }] }, /cannot be decoded/],
  [
    'a data URL',
    { instances: [{ b64: `data:image/png;base64,${pictures[0]!.b64}` }] },
    /not Base64: .*":" at index 4/,
  ],
  [
    'numbers just above 1',
    { instances: [unit(image).with(0, 1.000_000_2)] },
    /Clip pixels of 0–1 to 1, or divide/,
  ],
  ['one image that is not Base64', { inputs: { b64: '!' } }, /^#\/inputs\/b64 is not Base64/],
  ['Base64 that is no text', { instances: [{ b64: 7 }] }, /must be a Base64 string/],
  ['numbers past 255', { inputs: [image.with(0, 256)] }, /256 at \[0, 0\]/],
  ['negative numbers', { inputs: [image.with(0, -1)] }, /-1 at \[0, 0\]/],
  ['NaN', '{"instances": [[NaN]]}', /JSON/],
  ['no JSON', 'instances', /JSON/],
  ['too many pictures', { instances: new Array(1001).fill({ b64: '' }) }, /the limit is 1000/],
] as const) {
  test(`${title}: 400 with {"error": "text"}`, async () => assertError(await predict(body), 400, pattern));
}

test('unknown models give 404, other verbs 404, other methods 405, each with {"error": "text"}', async () => {
  for (const path of ['nope', 'fashion-mnist/versions/99', 'fashion-mnist/labels/nope']) {
    assertError(await predict({ instances: [image] }, `/v1/models/${path}:predict`), 404, /Model /);
    assertError(await app.inject(`/v1/models/${path}/metadata`), 404, /Model /);
  }
  assertError(await app.inject('/v1/models/fashion-mnist/labels/nope'), 404, /has no alias nope/);
  for (const verb of ['classify', 'regress']) {
    for (const path of ['fashion-mnist', 'fashion-mnist/versions/1']) {
      assertError(await predict({}, `/v1/models/${path}:${verb}`), 404, /verbs of a model are: .*predict/);
      assertError(await app.inject(`/v1/models/${path}:${verb}`), 404, /verbs of a model are: .*predict/);
    }
  }
  for (const url of [PREDICT, '/v1/models/fashion-mnist/versions/1:predict', '/v1/models/a%3Apredict']) {
    const response = await app.inject(url);
    assertError(response, 405, /does not support GET. Allowed methods: POST/);
    assert.equal(response.headers['allow'], 'POST');
  }
});

/** https://www.tensorflow.org/tfx/serving/api_rest#model_status_api, with the values of its example. */
const available = (version: string) => ({
  version,
  state: 'AVAILABLE',
  status: { error_code: 'OK', error_message: '' },
});

test('GET of a model, version or label has model_version_status, beside the native fields', async () => {
  const { json: model } = await app.inject('/v1/models/fashion-mnist');
  const { latest, aliases, model_version_status: statuses } = model();
  assert.deepEqual([latest.version, aliases], [2, { champion: 1, canary: 2 }]);
  assert.deepEqual(statuses, [available('2'), available('1')]);
  const version = (await app.inject('/v1/models/fashion-mnist/versions/1')).json();
  assert.deepEqual([version.name, version.version], ['fashion-mnist', 1]);
  assert.deepEqual(version.model_version_status, [available('1')]);
  assert.deepEqual((await app.inject('/v1/models/fashion-mnist/labels/champion')).json(), {
    model_version_status: [available('1')],
  });
  const { data } = (await app.inject('/v1/models')).json();
  assert.ok(!('model_version_status' in data[0]), 'only in the resource itself');
});

/** https://www.tensorflow.org/tfx/serving/api_rest#model_metadata_api */
test('GET …/metadata describes the signature as JSON of protocol buffers', async () => {
  const tensor = (name: string, size: string) => ({
    dtype: 'DT_FLOAT',
    tensor_shape: {
      dim: [
        { size: '-1', name: '' },
        { size, name: '' },
      ],
      unknown_rank: false,
    },
    name,
  });
  const metadata = (version: string) => ({
    model_spec: { name: 'fashion-mnist', signature_name: '', version },
    metadata: {
      signature_def: {
        signature_def: {
          serving_default: {
            inputs: { image: tensor('serving_default_image:0', '784') },
            outputs: { probabilities: tensor('StatefulPartitionedCall:0', '10') },
            method_name: 'tensorflow/serving/predict',
          },
        },
      },
    },
  });
  for (const [path, version] of [
    ['', '1'],
    ['/versions/2', '2'],
    ['/labels/canary', '2'],
  ] as const) {
    const response = await app.inject(`/v1/models/fashion-mnist${path}/metadata`);
    assert.deepEqual([response.statusCode, response.json()], [200, metadata(version)]);
  }
});

test('GET /v1/models/{name} stays the native resource, with native errors', async () => {
  for (const url of [
    '/v1/models/nope',
    '/v1/models/nope/versions/1',
    '/v1/models/nope/aliases',
    '/v1/nope',
  ]) {
    const { statusCode, headers } = await app.inject(url);
    assert.deepEqual(
      [statusCode, headers['content-type']],
      [404, 'application/problem+json; charset=utf-8'],
      url,
    );
  }
});

const large = await testImage(app, 0, 'image/png').then((png) =>
  sharp(png).resize(56, 56, { kernel: 'nearest' }).png().toBuffer(),
);
const resized = { b64: large.toString('base64') };

/**
 * tensorflow_serving/example/resnet_client.py in tensorflow/serving at 38777c1, in both of its modes: `requests` sends the
 * text without a content type, and Python writes a space after commas and colons.
 */
test("TensorFlow Serving's resnet_client.py gets the class of an image", async () => {
  const post = (payload: string) =>
    app.inject({ method: 'POST', url: '/v1/models/fashion-mnist/labels/champion:predict', payload });
  const tensor = JSON.stringify([rows(unit(image))]).replaceAll(',', ', ');
  for (const body of [`{"instances" : [{"b64": "${pictures[0]!.b64}"}]}`, `{"instances": ${tensor}}`]) {
    const response = await post(body);
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(response.json().predictions, first);
  }
});

test('3,000 images of 28×28×1 get the same predictions as alone', async () => {
  const version = '/v1/models/fashion-mnist/versions/1:predict';
  const instances = Array.from({ length: 3000 }, (_, n) => channels(images[n % 3]!));
  const { predictions } = await answer({ instances }, version);
  assert.deepEqual(
    predictions,
    instances.map((_, n) => probabilities[n % 3]),
  );
});

test('?fit=contain resizes encoded images as in the native protocol, few or many', async () => {
  const version = '/v1/models/fashion-mnist/versions/1:predict';
  const native = await app.inject({
    method: 'POST',
    url: '/v1/models/fashion-mnist/versions/1/predictions?fit=contain',
    headers: { 'content-type': 'image/png' },
    payload: large,
  });
  const [{ probabilities: wanted }] = native.json().predictions;
  const body = { instances: [resized, { image_bytes: pictures[0] }] };
  const { predictions } = await answer(body, `${version}?fit=contain&unknown=1`);
  assert.deepEqual(predictions, [wanted, probabilities[0]]);
  const inputs = new Array(400).fill(resized);
  assert.ok(JSON.stringify(inputs).length > LARGE_BODY_BYTES, 'a worker reads it');
  const many = await answer({ inputs }, `${version}?fit=contain`);
  assert.deepEqual(many.outputs, new Array(400).fill(wanted));

  assertError(
    await predict({ instances: [pictures[0], resized] }, version),
    400,
    /#\/instances\/1: The image has 56×56 pixels, .* or set \?fit=contain/,
  );
  assertError(
    await predict({ instances: [image] }, `${version}?fit=contain`),
    400,
    /\?fit=contain does not apply to this body.* Leave the option out/,
  );
  assertError(await predict(body, `${version}?fit=fill`), 400, /fit/);
  const explained = await predict({ instances: [resized] }, '/v1/models/fashion-mnist:explain?fit=contain');
  assert.equal(explained.statusCode, 200, explained.body);
});

test('inflates gzip and deflate up to the limit of bodies', async () => {
  const post = (encoding: string, payload: Buffer) =>
    app.inject({ method: 'POST', url: PREDICT, headers: { 'content-encoding': encoding }, payload });
  const body = JSON.stringify({ instances: images });
  for (const [encoding, payload] of [
    ['gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
  ] as const) {
    const response = await post(encoding, payload);
    assert.equal(response.statusCode, 200, response.body);
    assert.equal(response.json().predictions.length, 3);
  }
  const bomb = gzipSync(Buffer.alloc(2 ** 25 + 1, ' '));
  assertError(await post('gzip', bomb), 413, /inflated body is larger than the limit of 33554432 bytes/);
  assertError(await post('gzip', Buffer.from(body)), 400, /cannot be decompressed/);
  assertError(await post('br', gzipSync(body)), 415, /Allowed: gzip, deflate/);
});

test('2,000 images, also encoded ones, get the same predictions from a worker as alone', async () => {
  const many = Array.from({ length: 2000 }, (_, n) => images[n % 3]!);
  const version = '/v1/models/fashion-mnist/versions/1:predict';
  const { predictions } = await answer({ instances: many }, version);
  assert.deepEqual(
    predictions,
    many.map((_, n) => probabilities[n % 3]),
  );
  const shown = Array.from({ length: 500 }, (_, n) => pictures[n % 3]!);
  assert.ok(JSON.stringify(shown).length > LARGE_BODY_BYTES, 'a worker reads it');
  const { outputs } = await answer({ inputs: shown }, version);
  assert.deepEqual(
    outputs,
    shown.map((_, n) => probabilities[n % 3]),
  );
});
