import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import sharp from 'sharp';
import type { CheckpointRecord } from '../../../../src/domain/jobs/checkpoint.ts';
import type { Diagnosis } from '../../../../src/domain/predictions/diagnosis.ts';
import { npyBytes } from '../../../../src/formats/arrays/npy.ts';
import { type Predictions, predictionsSchema } from '../../../../src/protocols/native/schema.ts';
import {
  assertProblem,
  endless,
  isUnderway,
  queueJob,
  startService,
  testImage,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';

const { app } = await startService({ after });
await train(app, tiny({ modelName: 'cared' }));
const picture = new Uint8Array(await testImage(app, 0));
const png = await testImage(app, 0, 'image/png');
const large = await sharp(png).resize(280, 280, { kernel: 'nearest' }).png().toBuffer();

const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';
const NPY = 'application/x-npy';
const PATH = '/v1/models/cared/predictions';

const send = (type: string, body: Uint8Array, query: string, accept = JSON_TYPE, url = PATH) =>
  app.inject({
    method: 'POST',
    url: `${url}${query}`,
    headers: { 'content-type': type, accept },
    payload: Buffer.from(body),
  });

async function predict(...request: Parameters<typeof send>): Promise<Predictions> {
  const response = await send(...request);
  assert.equal(response.statusCode, 200, response.body);
  assert.deepEqual(predictionsSchema.strict().parse(response.json()), response.json());
  return response.json();
}

const codes = (diagnosis: Diagnosis | undefined) => diagnosis!.findings.map(({ code }) => code);

async function diagnose(pixels: Uint8Array, type = BYTES): Promise<string[]> {
  return codes((await predict(type, pixels, '?diagnose=true')).predictions[0]!.diagnosis);
}

const inverted = picture.map((value) => 255 - value);
const unscaled = picture.map((value) => Math.round(value / 255));
const transposed = picture.map((_, i) => picture[(i % 28) * 28 + Math.floor(i / 28)]!);
const moved = picture.map((_, i) => (i >= 8 * 28 ? picture[i - 8 * 28]! : 0));

test('has no findings for training images, and names the problems of others', async () => {
  assert.deepEqual(await diagnose(picture), []);
  assert.deepEqual(await diagnose(inverted), ['inverted']);
  assert.deepEqual(await diagnose(unscaled), ['unscaled']);
  assert.deepEqual(await diagnose(new Uint8Array(784).fill(255)), ['blank']);
  // The first image, an ankle boot, serves as the example.
  assert.deepEqual(await diagnose(transposed), ['transposed']);
  assert.deepEqual(await diagnose(moved), ['off-centre']);
});

test('a finding has detail and advice, and does not change the prediction', async () => {
  const [plain, diagnosed] = [
    await predict(BYTES, inverted, ''),
    await predict(BYTES, inverted, '?diagnose=true'),
  ];
  const { diagnosis, ...prediction } = diagnosed.predictions[0]!;
  assert.deepEqual(prediction, plain.predictions[0]);
  assert.match(diagnosis!.findings[0]!.advice, /255 − pixel/);
  assert.deepEqual(diagnosis!.corrected, []);
  assert.equal(plain.predictions[0]!.diagnosis, undefined);
  const off = await predict(BYTES, inverted, '?diagnose=false');
  assert.deepEqual(off, plain);
});

test('diagnoses each image separately, together with topK and logits', async () => {
  const batch = Buffer.concat([picture, inverted, picture, unscaled]);
  const { predictions } = await predict(
    NPY,
    npyBytes(batch, [4, 28, 28]),
    '?diagnose=true&topK=2&logits=true',
  );
  assert.deepEqual(
    predictions.map(({ diagnosis }) => codes(diagnosis)),
    [[], ['inverted'], [], ['unscaled']],
  );
  assert.ok(predictions.every(({ top, logits }) => top!.length === 2 && logits!.length === 10));
});

test('versions and checkpoints can diagnose images', async () => {
  const { id } = await queueJob(app, endless);
  await untilJob(app, id, isUnderway);
  await app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/pause` });
  await untilJob(app, id, ({ status }) => status === 'paused');
  const { data } = (await app.inject(`/v1/training-jobs/${id}/checkpoints`)).json<{
    data: CheckpointRecord[];
  }>();
  for (const path of [
    '/v1/models/cared/versions/1',
    `/v1/training-jobs/${id}/checkpoints/${data[0]!.step}`,
  ]) {
    const { predictions } = await predict(
      BYTES,
      inverted,
      '?diagnose=true',
      JSON_TYPE,
      `${path}/predictions`,
    );
    assert.deepEqual(codes(predictions[0]!.diagnosis), ['inverted'], path);
  }
});

test('rejects a diagnosis if the client accepts only npy', async () => {
  const response = await send(BYTES, picture, '?diagnose=true', NPY);
  assert.match(assertProblem(response, 406, 'not-acceptable').detail, /\?diagnose=true/);
  assert.equal((await send(BYTES, picture, '', NPY)).statusCode, 200);
});

test('rejects an image of another size without fit=contain', async () => {
  const refused = assertProblem(await send('image/png', large, ''), 422, 'invalid-image-size');
  assert.match(refused.detail, /280×280.*fit=contain/);
  const [same] = (await predict('image/png', png, '')).predictions;
  const [fitted] = (await predict('image/png', large, '?fit=contain')).predictions;
  assert.equal(fitted!.label, same!.label);
  assert.ok(Math.abs(fitted!.probability - same!.probability) < 0.05);
  const [small] = (await predict('image/png', png, '?fit=contain')).predictions;
  assert.deepEqual(small, same);
});

test('the diagnosis lists the corrections of each file', async () => {
  const form = new FormData();
  const photo = await sharp(large).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  for (const [name, bytes, type] of [
    ['a.png', large, 'image/png'],
    ['b.png', png, 'image/png'],
    ['c.jpg', photo, 'image/jpeg'],
  ] as const) {
    form.append('file', new Blob([new Uint8Array(bytes)], { type }), name);
  }
  const request = new Response(form);
  const body = new Uint8Array(await request.arrayBuffer());
  const { predictions } = await predict(
    request.headers.get('content-type')!,
    body,
    '?fit=contain&diagnose=true',
  );
  assert.deepEqual(
    predictions.map(({ diagnosis }) => diagnosis!.corrected.map(({ code }) => code)),
    [['resized'], [], ['oriented', 'resized']],
  );
  assert.match(predictions[0]!.diagnosis!.corrected[0]!.detail, /from 280×280 to 28×28/);
});

test('does not resize numbers', async () => {
  for (const [type, body] of [
    [BYTES, picture],
    [NPY, npyBytes(picture, [28, 28])],
    [JSON_TYPE, new TextEncoder().encode(JSON.stringify({ image: Array.from(picture) }))],
  ] as const) {
    const { detail } = assertProblem(await send(type, body, '?fit=contain'), 400, 'invalid-request', 'fit');
    assert.match(detail, /image\/png/);
  }
});

test('rejects diagnosing too many images, but predicts them', async () => {
  const many = new Uint8Array(10_001 * 784);
  const { detail } = assertProblem(
    await send(BYTES, many, '?diagnose=true'),
    422,
    'impossible-request',
    'diagnose',
  );
  assert.match(detail, /10,001 .* at most 10,000/);
  assert.equal((await send(BYTES, many, '?topK=1')).statusCode, 200);
});

for (const query of ['?diagnose=yes', '?diagnose=', '?fit=fill', '?fit=']) {
  test(`rejects ${query}`, async () => {
    const place = query.slice(1, query.indexOf('='));
    assertProblem(await send('image/png', png, query), 400, 'invalid-request', place);
  });
}
