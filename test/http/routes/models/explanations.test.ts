import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { type Explanation, explanationSchema } from '../../../../src/domain/predictions/explanation.ts';
import { npyBytes } from '../../../../src/formats/arrays/npy.ts';
import type { Predictions } from '../../../../src/protocols/native/schema.ts';
import { assertProblem, startService, testImage, tiny, train } from '../../../support/start-service.ts';

const { app } = await startService({ after });
const training = { epochs: 1, batchSize: 64, validation: { fraction: 0.1 } };
await train(app, tiny({ modelName: 'asked', network: { hidden: [20] }, training }));
const VERSION = '/v1/models/asked/versions/1';
const picture = new Uint8Array(await testImage(app, 0));
const png = await testImage(app, 0, 'image/png');

const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';

const send = (type: string, body: Uint8Array, query = '', accept = JSON_TYPE) =>
  app.inject({
    method: 'POST',
    url: `${VERSION}/explanations${query}`,
    headers: { 'content-type': type, accept },
    payload: Buffer.from(body),
  });

async function explain(...request: Parameters<typeof send>): Promise<Explanation> {
  const response = await send(...request);
  assert.equal(response.statusCode, 200, response.body);
  assert.deepEqual(explanationSchema.strict().parse(response.json()), response.json());
  return response.json();
}

async function probabilityOf(pixels: Uint8Array, label: number): Promise<number> {
  const response = await app.inject({
    method: 'POST',
    url: `${VERSION}/predictions`,
    headers: { 'content-type': BYTES },
    payload: Buffer.from(pixels),
  });
  return response.json<Predictions>().predictions[0]!.probabilities![label]!;
}

test('explains the most probable class, with the predicted probability', async () => {
  const { model, label, probability, predicted, className } = await explain(BYTES, picture);
  assert.deepEqual(model, { name: 'asked', version: 1 });
  assert.deepEqual(predicted, { label, className, probability });
  assert.ok(Math.abs(probability! - (await probabilityOf(picture, label))) < 1e-6);
});

test('the occlusion map equals the drop in predictions of covered images', async () => {
  const { label, probability, occlusion } = await explain(BYTES, picture);
  // The corner pixel is covered by one square only.
  const covered = Uint8Array.from(picture, (value, i) => (i % 28 < 4 && i < 4 * 28 ? 0 : value));
  const drop = probability! - (await probabilityOf(covered, label));
  assert.ok(Math.abs(occlusion.map[0]![0]! - drop) < 1e-6);
  assert.ok(occlusion.map.flat().some((value) => Math.abs(value!) > 1e-3));
});

test('the gradient equals the slope of the predicted log-probability', async () => {
  const { label, gradient } = await explain(BYTES, picture);
  const [at, steepest] = gradient.map
    .flat()
    .map((value, i) => [i, value!] as const)
    .filter(([i]) => picture[i]! >= 10 && picture[i]! <= 245)
    .toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a))[0]!;
  const moved = (by: number) => Uint8Array.from(picture, (value, i) => (i === at ? value + by : value));
  const [above, below] = [await probabilityOf(moved(10), label), await probabilityOf(moved(-10), label)];
  const slope = (Math.log(above) - Math.log(below)) / (20 / 255);
  assert.ok(Math.abs(slope - steepest) < 0.1 * Math.abs(steepest), `${slope} and ${steepest}`);
});

test('explains any class, with the same result for every image format', async () => {
  const expected = await explain(BYTES, picture, '?label=3');
  assert.equal(expected.label, 3);
  const json = new TextEncoder().encode(JSON.stringify({ image: Array.from(picture) }));
  for (const [type, body] of [
    ['image/png', png],
    ['application/x-npy', npyBytes(picture, [28, 28])],
    [JSON_TYPE, json],
  ] as const) {
    assert.deepEqual(await explain(type, body, '?label=3'), expected, type);
  }
});

test('as PNG it shows the image and both maps side by side', async () => {
  const response = await send(BYTES, picture, '', 'image/png');
  assert.equal(response.headers['content-type'], 'image/png');
  assert.match(String(response.headers['vary']), /Accept/);
  const { width, height, format } = await sharp(response.rawPayload).metadata();
  assert.equal(format, 'png');
  assert.ok(width! > 3 * 28 * 8 && height! > 28 * 8);
});

test('explains an image of another size with fit=contain, and diagnoses it on request', async () => {
  const large = await sharp(png).resize(280, 280, { kernel: 'nearest' }).png().toBuffer();
  assertProblem(await send('image/png', large), 422, 'invalid-image-size');
  const { diagnosis } = await explain('image/png', large, '?fit=contain&diagnose=true');
  assert.deepEqual(
    diagnosis!.corrected.map(({ code }) => code),
    ['resized'],
  );
  assert.equal((await explain(BYTES, picture)).diagnosis, undefined);
  const pictured = await send('image/png', large, '?fit=contain&diagnose=true', 'image/png');
  assert.match(assertProblem(pictured, 406, 'not-acceptable').detail, /diagnose/);
});

for (const [title, type, body, query, status, code, place] of [
  ['two images', BYTES, new Uint8Array(2 * 784), '', 422, 'impossible-request', undefined],
  ['half an image', BYTES, new Uint8Array(392), '', 422, 'invalid-image-size', undefined],
  ['no image', BYTES, new Uint8Array(0), '', 422, 'invalid-image-size', undefined],
  ['a class that there is not', BYTES, picture, '?label=10', 422, 'impossible-request', 'label'],
  ['a class by name', BYTES, picture, '?label=Bag', 400, 'invalid-request', 'label'],
  ['an empty class', BYTES, picture, '?label=', 400, 'invalid-request', 'label'],
  ['another type', 'text/plain', picture, '', 415, 'unsupported-media-type', undefined],
] as const) {
  test(`rejects ${title}: ${status} ${code}`, async () => {
    assertProblem(await send(type, body, query), status, code, place);
  });
}

test('rejects a missing version and a checkpoint', async () => {
  for (const path of ['asked/versions/2', 'job_01M87ZJ9GPMXZJH0KH4EEVFZ6C/versions/1']) {
    const url = `/v1/models/${path}/explanations`;
    const headers = { 'content-type': BYTES };
    const response = await app.inject({ method: 'POST', url, headers, payload: Buffer.from(picture) });
    assertProblem(response, 404, 'model-not-found');
  }
});
