import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import sharp from 'sharp';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Prediction } from '../../../src/protocols/native/schema.ts';
import { assertProblem, startService, testImage, train } from '../../support/start-service.ts';
import { encodeForm } from '../import-file.ts';

const MODEL = '/v1/models/fashion-mnist';
const { app } = await startService({ after }, { MAX_IMAGE_PIXELS: String(512 * 512) });
await train(app);
const [png, other] = await Promise.all([testImage(app, 0, 'image/png'), testImage(app, 1, 'image/png')]);
const webp = await sharp(png).webp({ lossless: true }).toBuffer();
const noise = { create: { width: 512, height: 512, channels: 3 as const, background: 'black' } };
const photo = await sharp(randomBytes(512 * 512 * 3), { raw: noise.create })
  .png()
  .toBuffer();
const zeros = new Array<number>(784).fill(0);

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const dataUrl = (bytes: Uint8Array, type = 'image/png') => `data:${type};base64,${base64(bytes)}`;

function send(body: object | string, query = '', path = 'predictions') {
  return app.inject({
    method: 'POST',
    url: `${MODEL}/${path}${query}`,
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function predict(...request: Parameters<typeof send>): Promise<Prediction[]> {
  const response = await send(...request);
  assert.equal(response.statusCode, 200, response.body);
  return response.json().predictions;
}

async function predictFile(payload: Buffer, query = ''): Promise<Prediction> {
  const headers = { 'content-type': 'image/png' };
  const response = await app.inject({
    method: 'POST',
    url: `${MODEL}/predictions${query}`,
    headers,
    payload,
  });
  return response.json().predictions[0];
}

const [first, second] = [await predictFile(png), await predictFile(other)];

test('an encoded image in JSON gets the probabilities of the file', async () => {
  assert.deepEqual(await predict({ image: dataUrl(png) }), [first]);
  assert.deepEqual(await predict({ image: { b64: base64(png) } }), [first]);
  const images = [
    { b64: base64(other) },
    dataUrl(png),
    dataUrl(webp, 'image/webp'),
    dataUrl(png, 'image/jpg'),
  ];
  assert.deepEqual(await predict({ images }), [second, first, first, first]);
  // PHP escapes slashes, Python encodes for URLs on request, and MIME breaks lines.
  assert.deepEqual(await predict(JSON.stringify({ image: dataUrl(png) }).replaceAll('/', '\\/')), [first]);
  assert.deepEqual(await predict({ image: { b64: Buffer.from(png).toString('base64url') } }), [first]);
  assert.deepEqual(await predict({ image: { b64: base64(png).replace(/.{76}/g, '$&\r\n') } }), [first]);
});

test('a body that a worker reads gives the same predictions', async () => {
  const images = Array.from({ length: 1000 }, (_, n) =>
    n % 2 === 0 ? dataUrl(png) : { b64: base64(other) },
  );
  const body = JSON.stringify({ images });
  assert.ok(body.length > 256 * 1024);
  const predictions = await predict(body);
  assert.equal(predictions.length, 1000);
  assert.deepEqual([predictions[998], predictions[999]], [first, second]);
});

test('?fit=contain resizes encoded images in JSON as it resizes files', async () => {
  const expected = await predictFile(photo, '?fit=contain');
  assert.deepEqual(await predict({ images: [dataUrl(photo), dataUrl(png)] }, '?fit=contain'), [
    expected,
    first,
  ]);
  const [diagnosed] = await predict({ image: { b64: base64(photo) } }, '?fit=contain&diagnose=true');
  assert.equal(diagnosed!.diagnosis!.corrected[0]!.code, 'resized');
});

test('?fit does not apply to numbers in JSON, nor ?pixels to encoded images', async () => {
  const numbers = assertProblem(await send({ image: zeros }, '?fit=contain'), 400, 'invalid-request', 'fit');
  assert.match(numbers.detail, /only; images as numbers must have the shape that the model takes/);
  const encoded = await send({ image: dataUrl(png) }, '?pixels=0-1');
  assert.match(assertProblem(encoded, 400, 'invalid-request', 'pixels').detail, /numbers in JSON and npy/);
});

test('explains an encoded image in JSON', async () => {
  const response = await send({ image: dataUrl(png) }, '', 'versions/1/explanations');
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.json().label, first.label);
});

test('the form names the file of each prediction', async () => {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(2 * 784)]), 'two.bin');
  form.append('file', new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }), 'boot ✓.png');
  const { payload, headers } = await encodeForm(form);
  for (const query of ['', '?diagnose=true']) {
    const response = await app.inject({
      method: 'POST',
      url: `${MODEL}/predictions${query}`,
      payload,
      headers,
    });
    const files = response.json().predictions.map(({ file }: Prediction) => file);
    assert.deepEqual(files, ['two.bin', 'two.bin', 'boot ✓.png']);
  }
  assert.ok(!('file' in (await predictFile(png))));
});

test('a file without a name gets the name of its part, and an input without a file counts as absent', async () => {
  const part = (name: string, bytes: string) =>
    `--b\r\nContent-Disposition: form-data; ${name}\r\nContent-Type: application/octet-stream\r\n\r\n${bytes}\r\n`;
  const form = [
    part('name="second"; filename=""', ''),
    part('name="first"', '\0'.repeat(784)),
    part('name="third"; filename=""', '\0'.repeat(784)),
  ];
  const response = await app.inject({
    method: 'POST',
    url: `${MODEL}/predictions`,
    payload: `${form.join('')}--b--\r\n`,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  });
  assert.equal(response.statusCode, 200, response.body);
  const files = response.json().predictions.map(({ file }: Prediction) => file);
  assert.deepEqual(files, ['first', 'third']);
});

const wrong: readonly [title: string, body: object, status: number, code: ErrorCode, pointer: string][] = [
  ['text', { images: [dataUrl(png), 'boot.png'] }, 400, 'invalid-request', '#/images/1'],
  ['bare Base64', { image: base64(png) }, 400, 'invalid-request', '#/image'],
  [
    'a data URL of an SVG',
    { images: [dataUrl(png, 'image/svg+xml')] },
    415,
    'unsupported-media-type',
    '#/images/0',
  ],
  ['a data URL without a type', { image: dataUrl(png, '') }, 415, 'unsupported-media-type', '#/image'],
  [
    'a data URL of millions of parameters',
    { image: `data:image/png${';'.repeat(4e6)},` },
    400,
    'invalid-request',
    '#/image',
  ],
  ['a data URL without Base64', { image: 'data:image/png,%89PNG' }, 400, 'invalid-request', '#/image'],
  ['what is not Base64', { images: [{ b64: 'a"b' }] }, 400, 'invalid-request', '#/images/0/b64'],
  ['a data URL as b64', { image: { b64: dataUrl(png) } }, 400, 'invalid-request', '#/image/b64'],
  ['a number as b64', { image: { b64: 7 } }, 400, 'invalid-request', '#/image/b64'],
  ['no b64', { images: [{ b64: base64(png) }, {}] }, 400, 'invalid-request', '#/images/1'],
  ['a field beside b64', { image: { b64: base64(png), type: 'png' } }, 400, 'invalid-request', '#/image'],
  ['numbers after an encoded image', { images: [dataUrl(png), zeros] }, 400, 'invalid-request', '#/images/1'],
  ['an encoded image after numbers', { images: [zeros, dataUrl(png)] }, 400, 'invalid-request', '#/images/1'],
  ['images that are an object', { images: { b64: base64(png) } }, 400, 'invalid-request', '#/images'],
  ['both fields', { image: dataUrl(png), images: [] }, 400, 'invalid-request', '#/images'],
  ['both fields, one without an image', { image: 'x', images: [] }, 400, 'invalid-request', '#/images'],
  ['an empty image', { images: [dataUrl(png), { b64: '' }] }, 400, 'undecodable-image', '#/images/1'],
  [
    'a GIF',
    { images: [{ b64: base64(await sharp(png).gif().toBuffer()) }] },
    400,
    'undecodable-image',
    '#/images/0',
  ],
  [
    'an SVG',
    { image: dataUrl(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')) },
    400,
    'undecodable-image',
    '#/image',
  ],
  [
    'a truncated PNG',
    { images: [dataUrl(png), dataUrl(png.subarray(0, -20))] },
    400,
    'undecodable-image',
    '#/images/1',
  ],
  ['another size', { images: [dataUrl(png), dataUrl(photo)] }, 422, 'invalid-image-size', '#/images/1'],
  [
    '1,001 encoded images',
    { images: new Array(1001).fill(dataUrl(png)) },
    400,
    'invalid-request',
    '#/images',
  ],
];
for (const [title, body, status, code, pointer] of wrong) {
  test(`rejects ${title} in JSON as ${code}`, async () => {
    const { detail } = assertProblem(await send(body), status, code, pointer);
    assert.ok(detail.startsWith(pointer), detail);
  });
}

test('a single image that begins with text is an array of wrong pixels, not an encoded image', async () => {
  const { detail } = assertProblem(await send({ image: ['1', 0] }), 400, 'invalid-request', '#/image/0');
  assert.equal(detail, '#/image/0 is a string; a pixel must be a number.');
});

test('limits the pixels of one and of all images by the headers', async () => {
  const large = await sharp({ create: { ...noise.create, width: 513 } })
    .png()
    .toBuffer();
  const single = await send({ images: [dataUrl(png), dataUrl(large)] }, '?fit=contain');
  assertProblem(single, 422, 'invalid-image-size', '#/images/1');
  const black = await sharp(noise).png().toBuffer();
  const all = await send({ images: new Array(5).fill(dataUrl(black)) }, '?fit=contain');
  assert.match(assertProblem(all, 413, 'body-too-large').detail, /up to #\/images\/4 have 1,310,720 pixels/);
});

test('rejects JSON with encoded images inside a form', async () => {
  const form = new FormData();
  form.append(
    'file',
    new Blob([JSON.stringify({ image: dataUrl(png) })], { type: 'application/json' }),
    'a.json',
  );
  const response = await app.inject({
    method: 'POST',
    url: `${MODEL}/predictions`,
    ...(await encodeForm(form)),
  });
  assert.match(assertProblem(response, 400, 'invalid-request').detail, /^File a\.json holds encoded images/);
});

test('rejects damaged JSON with encoded images', async () => {
  const whole = JSON.stringify({ image: { b64: base64(png) } });
  for (const body of [whole.slice(0, -1), whole.slice(0, -3), `${whole}x`, whole.replace('":"', '" "')]) {
    assertProblem(await send(body), 400, 'malformed-body');
  }
});
