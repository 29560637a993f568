import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { importModel } from '../../../../src/formats/models/import.ts';
import { formatFixture, shapeFixtures } from '../../../formats/fixtures.ts';
import { assertProblem, startService } from '../../../support/start-service.ts';
import { encodeForm, importFile } from '../../import-file.ts';

const { app } = await startService({ after });
const shapeFile = (name: string) => formatFixture(`shapes/${name}`);
const digits = JSON.parse(Buffer.from(shapeFile('digits.json')).toString()) as {
  labels: number[];
  accuracy: number;
};

async function imported(file: string, fields: Record<string, string>): Promise<ModelVersion> {
  const response = await importFile(app, shapeFile(file), fields);
  assert.equal(response.statusCode, 201, response.body);
  return response.json();
}

/** n × classes */
async function probabilities(name: string, images: Uint8Array): Promise<Float32Array> {
  const response = await app.inject({
    method: 'POST',
    url: `/v1/models/${name}/predictions`,
    headers: { 'content-type': 'application/x-npy', accept: 'application/x-npy' },
    payload: Buffer.from(images),
  });
  assert.equal(response.statusCode, 200, response.body);
  return parseNpy(new Uint8Array(response.rawPayload)).data as Float32Array;
}

/** The digits as training and test images. */
async function uploadDigits(): Promise<string> {
  const form = new FormData();
  const labels = npyBytes(Uint8Array.from(digits.labels), [digits.labels.length]);
  for (const split of ['train', 'test']) {
    form.append(`${split}_images`, new Blob([Buffer.from(shapeFile('digits.npy'))]), 'images.npy');
    form.append(`${split}_labels`, new Blob([Buffer.from(labels)]), 'labels.npy');
  }
  const response = await app.inject({ method: 'POST', url: '/v1/datasets', ...(await encodeForm(form)) });
  assert.ok(response.statusCode < 300, response.body);
  return response.json().id;
}

test("scikit-learn's network of the 8×8 digits is served with its accuracy", async () => {
  const dataset = await uploadDigits();
  const version = await imported('sklearn-digits.npz', { name: 'digits', dataset });
  assert.deepEqual(
    [version.inputShape, version.layerSizes],
    [
      [8, 8],
      [64, 24, 10],
    ],
  );
  assert.equal(version.testAccuracy, digits.accuracy);
  const found = await probabilities('digits', shapeFile('digits.npy'));
  const expected = shapeFixtures.find(({ file }) => file === 'sklearn-digits.npz')!.probabilities.flat();
  expected.forEach((value, i) => {
    assert.ok(Math.abs(found[i]! - value) <= 2e-6, `${found[i]} at ${i}, not ${value}`);
  });
});

test("PyTorch's network of colour planes predicts pixels, and its export returns as it was", async () => {
  const file = 'torch-32x32x3.safetensors';
  const hints = { activation: 'tanh', inputShape: '[3, 32, 32]' };
  const { inputShape, digest } = await imported(file, { name: 'colour', ...hints });
  assert.deepEqual(inputShape, [32, 32, 3]);
  const found = await probabilities('colour', shapeFile('32x32x3.npy'));
  const expected = shapeFixtures.find((each) => each.file === file)!.probabilities.flat();
  expected.forEach((value, i) => {
    assert.ok(Math.abs(found[i]! - value) <= 2e-6, `${found[i]} at ${i}, not ${value}`);
  });
  for (const format of ['onnx', 'safetensors']) {
    const exported = await app.inject(`/v1/models/colour/versions/1/export?format=${format}`);
    assert.deepEqual(importModel(new Uint8Array(exported.rawPayload)).architecture.inputShape, [32, 32, 3]);
    const again = await importFile(app, exported.rawPayload, { name: `again-${format}` });
    assert.equal(again.json<ModelVersion>().digest, digest);
  }
});

test('rejects a file of unknown shape, and shapes of other forms', async () => {
  const refusal = async (fields: Record<string, string>, status: number) => {
    const response = await importFile(app, shapeFile('torch-20x44.safetensors'), { name: 'x', ...fields });
    const code = status === 400 ? 'invalid-request' : 'invalid-model-file';
    return assertProblem(response, status, code, '#/inputShape').detail;
  };
  assert.match(await refusal({}, 422), /"1\.weight" has shape \(2, 880\), but 880 values are not a square/);
  await refusal({ inputShape: '20' }, 400);
  await refusal({ inputShape: '[20, 65]' }, 400);
  await refusal({ inputShape: '[4, 20, 44]' }, 400);
  const { inputShape } = await imported('torch-20x44.safetensors', { name: 'wide', inputShape: '20×44' });
  assert.deepEqual(inputShape, [20, 44]);
});

test('rejects a data set whose images have another shape', async () => {
  const fields = { name: 'x', inputShape: '20,44', dataset: await uploadDigits() };
  const response = await importFile(app, shapeFile('torch-20x44.safetensors'), fields);
  assert.match(
    assertProblem(response, 422, 'impossible-request', '#/dataset').detail,
    /20×44.*8×8|8×8.*20×44/,
  );
});
