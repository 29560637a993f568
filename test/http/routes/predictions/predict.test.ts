import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import {
  type Prediction,
  type Predictions,
  predictionsSchema,
} from '../../../../src/protocols/native/schema.ts';
import { assertProblem, startService, testImage, tiny, train } from '../../../support/start-service.ts';

const { app } = await startService({ after });
const training = { epochs: 1, batchSize: 64, validation: { fraction: 0.1 } };
const jobs = [
  await train(app, tiny({ modelName: 'shown', training })),
  await train(app, tiny({ modelName: 'shown', training, seed: 1 })),
];
const picture = new Uint8Array(await testImage(app, 0));
const numbers = Array.from(picture);
const rows = Array.from({ length: 28 }, (_, y) => numbers.slice(y * 28, (y + 1) * 28));
const png = await testImage(app, 0, 'image/png');
const floats = Float32Array.from(picture);

const JSON_TYPE = 'application/json';
const NPY = 'application/x-npy';
const BYTES = 'application/octet-stream';

function send(type: string, body: Uint8Array | object, query = '', accept = JSON_TYPE, path = 'shown') {
  return app.inject({
    method: 'POST',
    url: `/v1/models/${path}/predictions${query}`,
    headers: { 'content-type': type, accept },
    payload: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
  });
}

async function predict(...request: Parameters<typeof send>): Promise<Predictions> {
  const response = await send(...request);
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['content-type'], 'application/json; charset=utf-8');
  assert.deepEqual(predictionsSchema.strict().parse(response.json()), response.json());
  return response.json();
}

async function formOf(files: readonly (readonly [type: string, bytes: Uint8Array])[]) {
  const form = new FormData();
  for (const [index, [type, bytes]] of files.entries()) {
    form.append('file', new Blob([Buffer.from(bytes)], { type }), `picture-${index}`);
  }
  const request = new Response(form);
  return [request.headers.get('content-type')!, new Uint8Array(await request.arrayBuffer())] as const;
}

const encode = (value: object) => new TextEncoder().encode(JSON.stringify(value));
const expected: Prediction = (await predict(BYTES, picture)).predictions[0]!;

const sRgb = { create: { width: 28, height: 28, channels: 3 as const, background: 'black' } };
const colour = await sharp(sRgb)
  .composite([{ input: png }])
  .png()
  .toBuffer();
const forms: [title: string, type: string, body: Uint8Array | object, query?: string][] = [
  ['JSON of 784 numbers', JSON_TYPE, { image: numbers }],
  ['JSON of 28 rows', JSON_TYPE, { image: rows }],
  ['JSON of a list of one', JSON_TYPE, { images: [numbers] }],
  ['JSON of a list of one of rows', JSON_TYPE, { images: [rows] }],
  ['JSON with a charset', `${JSON_TYPE}; charset=utf-8`, { image: numbers }],
  ['JSON of fractions', JSON_TYPE, { image: numbers.map((value) => value / 255) }, '?pixels=0-1'],
  ['JSON of rounded fractions', JSON_TYPE, { image: [...floats.map((value) => value / 255)] }, '?pixels=0-1'],
  ['npy of (28, 28)', NPY, npyBytes(picture, [28, 28])],
  ['npy of (784,)', NPY, npyBytes(picture, [784])],
  ['npy of (1, 784)', NPY, npyBytes(picture, [1, 784])],
  ['npy of (1, 28, 28)', NPY, npyBytes(picture, [1, 28, 28])],
  ['npy of float32 up to 255', NPY, npyBytes(floats, [28, 28])],
  [
    'npy of float32 up to 1',
    NPY,
    npyBytes(
      floats.map((value) => value / 255),
      [28, 28],
    ),
  ],
  [
    'npy of float64 up to 1',
    NPY,
    npyBytes(
      Float64Array.from(picture, (value) => value / 255),
      [28, 28],
    ),
  ],
  [
    'npy of float64 said to be up to 1',
    NPY,
    npyBytes(
      Float64Array.from(picture, (v) => v / 255),
      [784],
    ),
    '?pixels=0-1',
  ],
  ['PNG', 'image/png', png],
  ['PNG in colour', 'image/png', colour],
  ['PNG with alpha', 'image/png', await sharp(colour).ensureAlpha().png().toBuffer()],
  [
    'PNG with a palette',
    'image/png',
    await sharp(colour).png({ palette: true, colours: 256, dither: 0 }).toBuffer(),
  ],
  ['lossless WebP', 'image/webp', await sharp(png).webp({ lossless: true }).toBuffer()],
];

test('a prediction has label, class name, probability, and the probabilities of all classes', async () => {
  const { model, predictions } = await predict(BYTES, picture);
  assert.deepEqual(model, { name: 'shown', version: 1 });
  assert.deepEqual(Object.keys(predictions[0]!), ['label', 'className', 'probability', 'probabilities']);
  const { label, className, probability, probabilities } = predictions[0]!;
  assert.equal(probabilities?.length, 10);
  assert.equal(probability, Math.max(...probabilities));
  assert.equal(label, probabilities.indexOf(probability));
  assert.equal(className, (await app.inject('/v1/datasets/fashion-mnist')).json().classNames[label]);
  assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p) - 1) < 1e-6);
});

for (const [title, type, body, query] of forms) {
  test(`the image gets the same probabilities, bit for bit, as ${title}`, async () => {
    assert.deepEqual((await predict(type, body, query)).predictions, [expected]);
  });
}

test('the same two images in every NumPy dtype get the same probabilities', async () => {
  const folder = new URL('../../../fixtures/npy/', import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.startsWith('pictures-'));
  assert.ok(files.length >= 9);
  const answers = [];
  for (const name of files) answers.push(await predict(NPY, await readFile(new URL(name, folder))));
  const pictures = Uint8Array.from({ length: 2 * 784 }, (_, i) => i % 256);
  const whole = await predict(BYTES, pictures);
  assert.equal(whole.predictions.length, 2);
  for (const [index, answer] of answers.entries()) assert.deepEqual(answer, whole, files[index]);
});

test('a JPEG gets nearly the probabilities of the image', async () => {
  const jpeg = await sharp(png).jpeg({ quality: 100 }).toBuffer();
  const [prediction] = (await predict('image/jpeg', jpeg)).predictions;
  for (const [label, probability] of expected.probabilities!.entries()) {
    assert.ok(Math.abs(prediction!.probabilities![label]! - probability) < 0.02);
  }
});

test('a form with several files of several formats is predicted in file order', async () => {
  const other = await testImage(app, 1);
  const [second] = (await predict(BYTES, other)).predictions;
  const [type, body] = await formOf([
    ['image/png', png],
    ['application/octet-stream', other],
    ['application/octet-stream', npyBytes(picture, [1, 28, 28])],
    ['application/json', encode({ images: [numbers, [...other]] })],
    // curl sends this type for unknown file extensions; the format is detected from the content.
    ['application/octet-stream', await sharp(png).webp({ lossless: true }).toBuffer()],
  ]);
  const { predictions } = await predict(type, body);
  const files = [0, 1, 2, 3, 3, 4].map((index) => `picture-${index}`);
  assert.deepEqual(
    predictions,
    [expected, second, expected, expected, second, expected].map((one, n) => ({ ...one!, file: files[n] })),
  );
});

test('a form with one file gives the same response as the file alone, and its name', async () => {
  const [type, body] = await formOf([['image/png', png]]);
  assert.deepEqual((await predict(type, body)).predictions, [{ ...expected, file: 'picture-0' }]);
});

test('topK returns only the most probable classes, and logits are added on request', async () => {
  const [prediction] = (await predict(BYTES, picture, '?topK=3&logits=true')).predictions;
  const { top, logits, probabilities, ...first } = prediction!;
  assert.equal(probabilities, undefined);
  assert.equal(top?.length, 3);
  assert.deepEqual(top[0], first);
  const falling = expected.probabilities!.toSorted((a, b) => b - a);
  assert.deepEqual(
    top.map((entry) => entry.probability),
    falling.slice(0, 3),
  );
  const exponentials = logits!.map((logit) => Math.exp(logit - Math.max(...logits!)));
  const sum = exponentials.reduce((a, b) => a + b);
  for (const [label, value] of exponentials.entries()) {
    assert.ok(Math.abs(value / sum - expected.probabilities![label]!) < 1e-6);
  }
  assert.equal((await predict(BYTES, picture, '?topK=100')).predictions[0]!.top!.length, 10);
});

test('as npy the response is the float32 matrix of probabilities', async () => {
  const response = await send(BYTES, new Uint8Array([...picture, ...picture]), '', NPY);
  assert.equal(response.headers['content-type'], NPY);
  const { shape, dtype, data } = parseNpy(response.rawPayload);
  assert.deepEqual([shape, dtype], [[2, 10], 'f4']);
  const row = Array.from(Float32Array.from(expected.probabilities!));
  assert.deepEqual([...(data as Float32Array)], [...row, ...row]);
});

test('each version gives its own predictions, and the champion is the default', async () => {
  const [first, second] = [
    await predict(BYTES, picture, '', JSON_TYPE, 'shown/versions/1'),
    await predict(BYTES, picture, '', JSON_TYPE, 'shown/versions/2'),
  ];
  assert.deepEqual(first.model, { name: 'shown', version: 1 });
  assert.notDeepEqual(first.predictions, second.predictions);
  assert.deepEqual((await predict(BYTES, picture)).predictions, first.predictions);
  const publish = { promote: 'always', evenIfNotLearned: true } as const;
  const job = await train(app, tiny({ modelName: 'shown', training, seed: 2, publish }));
  assert.equal(job.model?.version, 3);
  assert.equal((await predict(BYTES, picture)).model.version, 3, 'as soon as the job has succeeded');
});

test('rejects unknown models, versions, types and parameters', async () => {
  assertProblem(await send(BYTES, picture, '', JSON_TYPE, 'nobody'), 404, 'model-not-found');
  assertProblem(await send(BYTES, picture, '', JSON_TYPE, 'shown/versions/9'), 404, 'model-not-found');
  assertProblem(await send(BYTES, picture, '', JSON_TYPE, 'shown/versions/x'), 404, 'model-not-found');
  assertProblem(
    await send(BYTES, picture, '', JSON_TYPE, 'shown/versions/X'),
    400,
    'invalid-request',
    'version',
  );
  assertProblem(await send(BYTES, picture, '', 'image/png'), 406, 'not-acceptable');
  for (const query of ['topK=0', 'topK=1001', 'topK=x', 'topK=', 'logits=yes', 'pixels=0-2', 'k=3']) {
    assertProblem(await send(BYTES, picture, `?${query}`), 400, 'invalid-request', query.split('=')[0]);
  }
  assert.equal(jobs.length, 2);
});

test('?input returns the decoded pixels, whole or not, of every image', async () => {
  const inputs = async (type: string, body: Uint8Array, query = '') =>
    (await predict(type, body, `?input=true${query}`)).predictions.map(({ input }) => input);
  assert.deepEqual(await inputs(BYTES, picture), [rows]);
  const large = await sharp(png).resize(280, 280, { kernel: 'nearest' }).png().toBuffer();
  const [fitted] = await inputs('image/png', large, '&fit=contain');
  assert.ok(fitted!.flat(2).every((pixel, i) => Math.abs(pixel - numbers[i]!) <= 40));
  const fractions = Float32Array.from(picture, (pixel) => (pixel * 255) / 256);
  const two = new Float32Array([...fractions, ...floats]);
  assert.deepEqual(
    (await inputs(NPY, npyBytes(two, [2, 28, 28]))).map((input) => input!.flat()),
    [Array.from(fractions), numbers],
  );
  // In a worker thread, as every large body.
  const many = await inputs(BYTES, Buffer.concat(Array.from({ length: 400 }, () => picture)));
  assert.deepEqual([many.length, many.at(-1)], [400, rows]);
  assert.equal(expected.input, undefined);
  const refused = assertProblem(await send(BYTES, picture, '?input=true', NPY), 406, 'not-acceptable');
  assert.match(refused.detail, /\?input=true/);
});
