import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import ort from 'onnxruntime-node';
import { loadFashionMnist } from '../../../../src/datasets/fashion-mnist.ts';
import type { Calibration } from '../../../../src/domain/models/calibration.ts';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import {
  EXPORT_FORMATS,
  type ExportFormat,
  ONNX_INPUTS,
} from '../../../../src/formats/models/export-formats.ts';
import { importModel } from '../../../../src/formats/models/import.ts';
import { parametersDigest } from '../../../../src/formats/models/metadata.ts';
import { parameterCount } from '../../../../src/numerics/network/architecture.ts';
import { unpack } from '../../../../src/numerics/network/layers.ts';
import { numbers } from '../../../formats/fixtures.ts';
import { DATA_DIR } from '../../../support/data-directory.ts';
import { dense } from '../../../support/dense.ts';
import { assertProblem, startService, tiny, train } from '../../../support/start-service.ts';
import { importFile } from '../../import-file.ts';

const { app } = await startService({ after });
const test300 = (await loadFashionMnist(DATA_DIR)).test.pixels.subarray(0, 300 * 784);
await train(app, tiny({ modelName: 'mine' }));
const version = (await app.inject('/v1/models/mine/versions/1')).json<ModelVersion>();

const fetchFile = (query: string, number: number | string = 1, method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ method, url: `/v1/models/mine/versions/${number}/export?${query}` });

async function exported(format: ExportFormat): Promise<Buffer> {
  const response = await fetchFile(`format=${format}`);
  assert.equal(response.statusCode, 200, response.body);
  return response.rawPayload;
}

const TYPES = {
  onnx: 'application/octet-stream',
  safetensors: 'application/octet-stream',
  npz: 'application/zip',
  npy: 'application/x-npy',
  json: 'application/json; charset=utf-8',
};

for (const format of EXPORT_FORMATS) {
  test(`${format} has headers with its type and digest, and a difference of 0 from the service`, async () => {
    const { headers, rawPayload } = await fetchFile(`format=${format}`);
    assert.equal(headers['content-type'], TYPES[format]);
    assert.equal(headers['content-disposition'], `attachment; filename="mine-1.${format}"`);
    assert.equal(headers['x-model-digest'], version.digest);
    const [difference, images] = [headers['x-export-max-difference'], headers['x-export-checked-images']];
    assert.deepEqual([Number(difference), Number(images)], [0, 0]);
    const head = await fetchFile(`format=${format}`, 1, 'HEAD');
    assert.equal(head.statusCode, 200);
    assert.equal(head.rawPayload.length, 0);
    assert.equal(Number(head.headers['content-length']), rawPayload.length);
    for (const name of ['etag', 'content-type', 'content-disposition', 'x-export-max-difference']) {
      assert.equal(head.headers[name], headers[name], name);
    }
  });

  test(`${format} exports are reproducible and give 304 by their ETag`, async () => {
    const first = await fetchFile(`format=${format}`);
    const again = await fetchFile(`format=${format}`);
    assert.deepEqual(again.rawPayload, first.rawPayload);
    const etag = String(first.headers['etag']);
    const known = await app.inject({
      url: `/v1/models/mine/versions/1/export?format=${format}`,
      headers: { 'if-none-match': `"other", W/${etag}` },
    });
    assert.deepEqual([known.statusCode, known.rawPayload.length, known.headers['etag']], [304, 0, etag]);
  });
}

test('each file has its own ETag', async () => {
  const queries = [...EXPORT_FORMATS.map((format) => `format=${format}`), 'format=onnx&input=uint8'];
  const tags = await Promise.all(queries.map(async (query) => (await fetchFile(query)).headers['etag']));
  assert.equal(new Set(tags).size, queries.length);
});

test('npy, npz, safetensors and JSON contain the parameters bit for bit', async () => {
  for (const format of ['npy', 'npz', 'safetensors'] as const) {
    const { parameters } = importModel(await exported(format), { hidden: [4] });
    assert.equal(parametersDigest(parameters), version.digest, format);
  }
  const { parameters, ...json } = JSON.parse((await exported('json')).toString());
  const { name, version: number, layerSizes, activation, standardization, classNames, digest } = version;
  assert.deepEqual(json, {
    name,
    version: number,
    layerSizes,
    activation,
    standardization,
    classNames,
    preprocessing: null,
    digest,
  });
  const packed = Float32Array.from(Object.values<number[]>(parameters).flat(2));
  assert.equal(parametersDigest(packed), version.digest);
  const [first] = unpack(packed, dense(layerSizes));
  assert.deepEqual(parameters.W1[3], [...first!.weights.subarray(3 * 784, 4 * 784)]);
});

for (const input of ['float', 'uint8'] as const) {
  test(`ONNX Runtime agrees with the service on 300 test images, input=${input}`, async () => {
    const pixels = new Uint8Array(test300);
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/models/mine/predictions',
      headers: { 'content-type': 'application/octet-stream', accept: 'application/x-npy' },
      payload: Buffer.from(pixels),
    });
    const served = parseNpy(answer.rawPayload).data as Float32Array;
    const session = await ort.InferenceSession.create(
      (await fetchFile(`format=onnx&input=${input}`)).rawPayload,
    );
    const image =
      input === 'uint8'
        ? new ort.Tensor('uint8', pixels, [300, 784])
        : new ort.Tensor(
            'float32',
            Float32Array.from(pixels, (pixel) => pixel / 255),
            [300, 784],
          );
    const { probabilities, label } = await session.run({ image });
    await session.release();
    const found = probabilities!.data as Float32Array;
    for (const [i, value] of found.entries()) {
      assert.ok(Math.abs(value - served[i]!) <= 1e-5, `${value} at ${i}`);
    }
    (label!.data as BigInt64Array).forEach((k, n) => {
      const row = served.subarray(n * 10, (n + 1) * 10);
      assert.equal(Number(k), row.indexOf(Math.max(...row)), `image ${n}`);
    });
  });
}

const calibrate = async (model: string, split: string) => {
  const url = `/v1/models/${model}/versions/1/calibration`;
  const response = await app.inject({ method: 'POST', url, payload: { split } });
  assert.equal(response.statusCode, 200, response.body);
  return response.json<Calibration>();
};

test('a calibrated export is a 409 without a calibration, and of ONNX only', async () => {
  const imported = await importFile(app, await exported('npz'), { name: 'imported', dataset: 'none' });
  assert.equal(imported.statusCode, 201, imported.body);
  const url = '/v1/models/imported/versions/1/export?format=onnx&calibrated=true';
  const missing = assertProblem(await app.inject(url), 409, 'not-calibrated');
  assert.match(missing.detail, /Calibrate it with POST \/v1\/models\/imported\/versions\/1\/calibration/);
  const npz = await fetchFile('format=npz&calibrated=true');
  const { errors } = assertProblem(npz, 400, 'invalid-request', 'calibrated');
  assert.match(errors![0]!.detail, /^Applies to format=onnx only; leave it out\.$/);
  assert.deepEqual((await fetchFile('format=npz&calibrated=false')).rawPayload, await exported('npz'));
});

test('a calibrated export has its own ETag, which changes with the calibration', async () => {
  const plain = await fetchFile('format=onnx');
  const tags = [plain.headers['etag']];
  const files = [plain.rawPayload];
  for (const split of ['test', 'train']) {
    await calibrate('mine', split);
    const response = await fetchFile('format=onnx&calibrated=true');
    assert.equal(response.statusCode, 200, response.body);
    assert.equal(response.headers['cache-control'], 'private, no-cache', 'it can be calibrated again');
    tags.push(response.headers['etag']);
    files.push(response.rawPayload);
    const headers = { 'if-none-match': String(response.headers['etag']) };
    const url = '/v1/models/mine/versions/1/export?format=onnx&calibrated=true';
    assert.equal((await app.inject({ url, headers })).statusCode, 304);
  }
  assert.equal(new Set(tags).size, 3);
  assert.equal(new Set(files.map((file) => file.toString('latin1'))).size, 3);
  assert.deepEqual(await exported('onnx'), plain.rawPayload, 'the plain export stays as it is');
});

for (const convolutions of [[], [4]]) {
  const kind = convolutions.length === 0 ? 'dense' : 'convolutional';
  test(`the calibrated export of a ${kind} network predicts as the service, also when imported`, async () => {
    const modelName = `calibrated-${kind}`;
    await train(app, tiny({ modelName, network: { convolutions, hidden: [6] } }));
    const { temperature } = await calibrate(modelName, 'test');
    assert.ok(Math.abs(temperature - 1) > 0.01, `${temperature}`);
    const predict = async (model: string, query: string) => {
      const response = await app.inject({
        method: 'POST',
        url: `/v1/models/${model}/predictions${query}`,
        headers: { 'content-type': 'application/octet-stream', accept: 'application/x-npy' },
        payload: Buffer.from(test300),
      });
      assert.equal(response.statusCode, 200, response.body);
      return parseNpy(response.rawPayload).data as Float32Array;
    };
    const expected = await predict(modelName, '?calibrated=true');
    assert.ok(largestDifference(await predict(modelName, ''), expected) > 1e-4);
    for (const input of ONNX_INPUTS) {
      const url = `/v1/models/${modelName}/versions/1/export?format=onnx&calibrated=true&input=${input}`;
      const file = (await app.inject(url)).rawPayload;
      const session = await ort.InferenceSession.create(file);
      const dims = kind === 'dense' ? [300, 784] : [300, 1, 28, 28];
      const image =
        input === 'uint8'
          ? new ort.Tensor('uint8', new Uint8Array(test300), dims)
          : new ort.Tensor(
              'float32',
              Float32Array.from(test300, (pixel) => pixel / 255),
              dims,
            );
      const { probabilities } = await session.run({ image });
      await session.release();
      const difference = largestDifference(probabilities!.data as Float32Array, expected);
      assert.ok(difference <= 1e-6, `${difference}`);

      const name = `${modelName}-${input}`;
      const imported = await importFile(app, file, { name, dataset: 'none' });
      assert.equal(imported.statusCode, 201, imported.body);
      assert.ok(largestDifference(await predict(name, ''), expected) <= 1e-6);
    }
  });
}

const largestDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);

test('exports by number or alias, in known formats only', async () => {
  const moved = await app.inject({
    method: 'PUT',
    url: '/v1/models/mine/aliases/stable',
    payload: { version: 1 },
  });
  assert.equal(moved.statusCode, 201, moved.body);
  assert.deepEqual((await fetchFile('format=npy', 'stable')).rawPayload, await exported('npy'));
  const missing = assertProblem(await fetchFile(''), 400, 'invalid-request', 'format');
  for (const format of EXPORT_FORMATS) assert.ok(missing.detail.includes(format), missing.detail);
  assertProblem(await fetchFile('format=pickle'), 400, 'invalid-request', 'format');
  assertProblem(await fetchFile('format=npz&input=float'), 400, 'invalid-request', 'input');
  assertProblem(await fetchFile('format=onnx&input=int8'), 400, 'invalid-request', 'input');
  assertProblem(await fetchFile('format=onnx&depth=1'), 400, 'invalid-request', 'depth');
  assertProblem(await fetchFile('format=npy', 2), 404, 'model-not-found');
  assertProblem(await fetchFile('format=npy', 'nobody'), 404, 'model-not-found');
});

test('a large network cannot be exported as JSON, but as ONNX', async () => {
  const count = parameterCount(dense([784, 4096, 450, 10]));
  const vector = npyBytes(numbers(count), [count]);
  const large = await importFile(app, vector, { name: 'mine', hidden: '4096,450', dataset: 'none' });
  assert.equal(large.statusCode, 201, large.body);
  const problem = assertProblem(await fetchFile('format=json', 2), 422, 'impossible-request', 'format');
  assert.match(problem.detail, /5,063,\d{3} parameters; the limit for JSON is 5,000,000.*safetensors/);
  const onnx = await fetchFile('format=onnx', 2);
  assert.equal(onnx.statusCode, 200, onnx.body);
});
