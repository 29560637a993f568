import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import ort from 'onnxruntime-node';
import { loadFashionMnist } from '../../../../src/datasets/fashion-mnist.ts';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../../../src/formats/models/export-formats.ts';
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
